"""What the model learns from: rows of tokens, cut out of the library and put together from the lessons."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from tokenizers import Tokenizer

from models.tiny_coder import tokens
from models.tiny_coder.asking import Request, functions, headers, request, requests
from models.tiny_coder.corpus import Source
from models.tiny_coder.holes import Hole, anywhere, at_a_word
from models.tiny_coder.lesson import Lesson

_CHARACTERS_PER_TOKEN = 5
"""More than a token has on average, so that a text cut to this length fills the row."""

_LESSONS_AMONG_HOLES = 0.10
_FUNCTIONS_AMONG_CURSORS = 0.3
_AT_WORDS_AMONG_CURSORS = 0.85
_SUFFIX_FIRST_AMONG_CURSORS = 0.92
_LONG_AMONG_CURSORS = 0.15
_SHORT_TEXT = 400
"""Characters; short ones have more holes, and what fills them mostly depends on what is near."""

_LIBRARY_WEIGHT = 3.0
"""A character of the library is drawn as often as so many of its tests."""


@dataclass(frozen=True, slots=True)
class Mix:
    """What rows are of.

    Attributes:
        plain: part of the rows that are text of the library.
        holes: part that are texts with a hole anywhere, prefix first, and what was in it.
        functions: part that are functions of the library, asked for.
        lessons: part that are lessons, asked for.
        cursors: part that are texts with a hole where a cursor stands, mostly suffix first, and what was in it.
    """

    plain: float
    holes: float
    functions: float
    lessons: float
    cursors: float = 0.0


@dataclass(frozen=True, slots=True)
class Batch:
    """Rows of a step, both (rows, length).

    Attributes:
        ids: of the tokens.
        filled: whether the token was in a hole, or ends what was.
    """

    ids: npt.NDArray[np.int32]
    filled: npt.NDArray[np.bool_]


Document = Sequence[tuple[str, bool]]
"""Texts that follow one another, and of each whether it was in a hole: it is not joined with what is before it."""


class Examples:
    """Draws rows of tokens; the same for the same seed, whatever was drawn before."""

    def __init__(
        self, tokenizer: Tokenizer, sources: Sequence[Source], lessons: Sequence[Lesson], seed: int
    ) -> None:
        self.tokenizer = tokenizer
        self._sources = [source for source in sources if not source.held_out]
        self._weights = [
            len(source.text) * (1.0 if source.is_test else _LIBRARY_WEIGHT) for source in self._sources
        ]
        self._functions = [
            request
            for source in self._sources
            for function in functions(source)
            for request in requests(function)
        ]
        self._lessons = lessons
        self._seed = seed

    def batch(self, step: int, rows: int, length: int, mix: Mix) -> Batch:
        """Return so many rows of so many tokens, those of a step."""
        choose = random.Random(f"{self._seed}/{step}")  # noqa: S311 (no secret)
        drawn = [self._row(choose, length, mix) for _ in range(rows)]
        return Batch(
            np.asarray([[token for token, _ in row] for row in drawn], dtype=np.int32),
            np.asarray([[filled for _, filled in row] for row in drawn], dtype=np.bool_),
        )

    def _row(self, choose: random.Random, length: int, mix: Mix) -> list[tuple[int, bool]]:
        row: list[tuple[int, bool]] = []
        for document in self._documents(choose, length, mix):
            for text, filled in document:
                ids = self.tokenizer.encode(text, add_special_tokens=False).ids
                row += [(token, filled) for token in ids]
            if len(row) >= length:
                return row[:length]
        raise AssertionError("documents never end")

    def _documents(self, choose: random.Random, length: int, mix: Mix) -> Iterator[Document]:
        """Give documents without end, all of one kind: so a kind's part of the rows is its part of the tokens."""
        kinds = (self._plain, self._hole, self._function, self._lesson, self._cursor)
        shares = (mix.plain, mix.holes, mix.functions, mix.lessons, mix.cursors)
        (draw,) = choose.choices(kinds, shares)
        while True:
            yield draw(choose, length)

    def _plain(self, choose: random.Random, length: int) -> Document:
        return _whole(self._window(choose, length * _CHARACTERS_PER_TOKEN) + tokens.END_OF_TEXT)

    def _hole(self, choose: random.Random, length: int) -> Document:
        if choose.random() < _LESSONS_AMONG_HOLES:
            text = choose.choice(self._lessons).source
        else:
            text = self._excerpt(choose, _row_of(length))
        return _asked(anywhere(text, choose), suffix_first=False)

    def _cursor(self, choose: random.Random, length: int) -> Document:
        kind = choose.random()
        if kind < _LESSONS_AMONG_HOLES:
            text = choose.choice(self._lessons).source
        elif kind < _LESSONS_AMONG_HOLES + _FUNCTIONS_AMONG_CURSORS:
            text = choose.choice(self._functions).code
        else:
            most = _row_of(length) if choose.random() < _LONG_AMONG_CURSORS else _SHORT_TEXT
            text = self._excerpt(choose, most)
        cut = at_a_word if choose.random() < _AT_WORDS_AMONG_CURSORS else anywhere
        return _asked(cut(text, choose), suffix_first=choose.random() < _SUFFIX_FIRST_AMONG_CURSORS)

    def _function(self, choose: random.Random, _length: int) -> Document:
        return _whole(choose.choice(self._functions).document())

    def _lesson(self, choose: random.Random, _length: int) -> Document:
        lesson = choose.choice(self._lessons)
        phrase, kind = choose.choice(lesson.phrases), choose.random()
        if kind < 0.15:  # as a completion
            return _whole(f"# {phrase}\n{lesson.source}{tokens.END_OF_TEXT}")
        asked = choose.choice(headers(lesson.source)) if kind < 0.3 else request(phrase, choose)
        return _whole(Request(asked, lesson.source).document())

    def _excerpt(self, choose: random.Random, most: int) -> str:
        """Return a piece of a file of at most about so many characters."""
        return self._window(choose, choose.randint(80, most))

    def _window(self, choose: random.Random, characters: int) -> str:
        """Return about so many characters of a file, from the start of a line."""
        (source,) = choose.choices(self._sources, self._weights)
        start = source.text.rfind("\n", 0, choose.randrange(len(source.text))) + 1
        return source.text[start : start + characters]


def _row_of(length: int) -> int:
    """Return how many characters fit into a row whole: to learn where the middle ends, it must not be cut off."""
    return int(length * 2.6)


def _whole(text: str) -> Document:
    return [(text, False)]


def _asked(hole: Hole, *, suffix_first: bool) -> Document:
    return [(hole.prompt(suffix_first=suffix_first), False), (f"{hole.middle}{tokens.END_OF_TEXT}", True)]
