"""What the model learns from: rows of tokens, cut out of the library and put together from the lessons."""

import ast
import random
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from tokenizers import Tokenizer

from models.tiny_coder import tokens
from models.tiny_coder.corpus import Source
from models.tiny_coder.lesson import Lesson

Rows = npt.NDArray[np.int32]

_REQUESTS = (
    "{phrase}",
    "{Phrase}",
    "{Phrase}.",
    "{phrase} in Python",
    "Write a function to {phrase}",
    "Write a Python function to {phrase}.",
    "write python code to {phrase}",
    "Write code to {phrase}",
    "Please {phrase}.",
    "Can you {phrase}?",
    "How do I {phrase} in Python?",
    "How can I {phrase}?",
    "I want to {phrase}",
    "Show me how to {phrase}",
    "# {phrase}",
)
_LONGEST_PURPOSE, _LONGEST_FUNCTION = 200, 1500
"""Characters of a function that is learned as the answer to a request: most of it has to fit into a row."""

_CHARACTERS_PER_TOKEN = 5
"""More than a token has on average, so that a text cut to this length fills the row."""

_LESSONS_AMONG_HOLES = 0.10
_LIBRARY_WEIGHT = 3.0
"""A character of the library is drawn as often as so many of its tests."""


@dataclass(frozen=True, slots=True)
class Mix:
    """What rows are of.

    Attributes:
        plain: part of the rows that are text of the library.
        holes: part that are texts with a hole, and what was in it.
        functions: part that are functions of the library, asked for.
        lessons: part that are lessons, asked for.
    """

    plain: float
    holes: float
    functions: float
    lessons: float


@dataclass(frozen=True, slots=True)
class Request:
    """A request and the code that answers it."""

    text: str
    code: str

    def document(self) -> str:
        """Return both as the chat template writes them."""
        return f"{tokens.USER}{self.text}{tokens.ASSISTANT}{fenced(self.code)}{tokens.END_OF_TEXT}"


@dataclass(frozen=True, slots=True)
class Hole:
    """A text with a part taken out."""

    prefix: str
    suffix: str
    middle: str

    def prompt(self) -> str:
        """Return prefix and suffix in the order that llama.cpp's `/infill` uses: prefix, suffix, middle."""
        return f"{tokens.FIM_PREFIX}{self.prefix}{tokens.FIM_SUFFIX}{self.suffix}{tokens.FIM_MIDDLE}"


def headers(source: str) -> list[str]:
    """Return how a definition begins: its first line, as it stands and without types, and with its docstring."""
    (found,) = (node for node in ast.parse(source).body if isinstance(node, ast.FunctionDef | ast.ClassDef))
    line = source.splitlines()[found.lineno - 1]
    begun = f'{line}\n    """{ast.get_docstring(found)}"""\n'
    if isinstance(found, ast.ClassDef):
        return [line, begun]
    for each in ast.walk(found.args):
        if isinstance(each, ast.arg):
            each.annotation = None
    return [line, begun, f"def {found.name}({ast.unparse(found.args)}):"]


def fenced(code: str) -> str:
    """Return code as a chat answers with it."""
    return f"```python\n{code.strip()}\n```"


@dataclass(frozen=True, slots=True)
class Function:
    """A function that says what it does.

    Attributes:
        head: name and parameters.
        purpose: the first paragraph of its docstring.
        code: all of it, at the left margin.
        begun: its code up to the end of the docstring.
    """

    head: str
    purpose: str
    code: str
    begun: str


def functions(source: Source) -> list[Function]:
    """Return the functions and methods that say in a docstring what they do, and are not too long."""
    try:
        tree = ast.parse(source.text)
    except SyntaxError:  # tests of wrong syntax
        return []
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and (said := ast.get_docstring(node)):
            purpose = " ".join(said.split("\n\n")[0].split())
            code = ast.get_source_segment(source.text, node, padded=True)
            fits = code and len(purpose) <= _LONGEST_PURPOSE and len(code) <= _LONGEST_FUNCTION
            if code and fits and len(node.body) > 1:
                code = textwrap.dedent(code)
                lines = code.splitlines(keepends=True)[: (node.body[0].end_lineno or 0) - node.lineno + 1]
                head = f"{node.name}({ast.unparse(node.args)})"
                found.append(Function(head, purpose, code, "".join(lines)))
    return found


def requests(function: Function) -> list[Request]:
    """Ask for a function in words, by its first line, and by how it begins."""
    begun = f'def {function.head}:\n    """{function.purpose}"""\n'
    in_words = f"Write the function {function.head}. {function.purpose}"
    asked = (in_words, function.purpose, f"def {function.head}:", begun)
    return [Request(text, function.code) for text in asked]


def hole(text: str, choose: random.Random) -> Hole:
    """Take a part out of a text where a cursor may be: the rest of a line, some lines, or any characters."""
    kind = choose.random()
    start = choose.randrange(len(text))
    line_start, line_end = text.rfind("\n", 0, start) + 1, _line_end(text, start)
    if kind < 0.4:  # the rest of a line
        end = line_end
    elif kind < 0.7:  # lines: what begins after the indentation
        start = line_start + len(text[line_start:line_end]) - len(text[line_start:line_end].lstrip(" "))
        end = line_end
        for _ in range(choose.choice((0, 0, 1, 1, 2, 3, 5))):
            end = _line_end(text, end + 1)
    else:
        end = min(len(text), start + choose.randint(1, 60))
    return Hole(text[:start], text[end:], text[start:end])


def _line_end(text: str, start: int) -> int:
    end = text.find("\n", start)
    return len(text) if end < 0 else end


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

    def batch(self, step: int, rows: int, length: int, mix: Mix) -> Rows:
        """Return (rows, length) ids of a step."""
        choose = random.Random(f"{self._seed}/{step}")  # noqa: S311 (no secret)
        return np.asarray([self._row(choose, length, mix) for _ in range(rows)], dtype=np.int32)

    def _row(self, choose: random.Random, length: int, mix: Mix) -> list[int]:
        row: list[int] = []
        for document in self._documents(choose, length, mix):
            row += self.tokenizer.encode(document, add_special_tokens=False).ids
            if len(row) >= length:
                return row[:length]
        raise AssertionError("documents never end")

    def _documents(self, choose: random.Random, length: int, mix: Mix) -> Iterator[str]:
        """Give documents without end, all of one kind: so a kind's part of the rows is its part of the tokens."""
        kinds = (self._plain, self._fim, self._function, self._lesson)
        (draw,) = choose.choices(kinds, (mix.plain, mix.holes, mix.functions, mix.lessons))
        while True:
            yield draw(choose, length)

    def _plain(self, choose: random.Random, length: int) -> str:
        return self._window(choose, length * _CHARACTERS_PER_TOKEN) + tokens.END_OF_TEXT

    def _fim(self, choose: random.Random, length: int) -> str:
        if choose.random() < _LESSONS_AMONG_HOLES:
            text = choose.choice(self._lessons).source
        else:
            # Short ones and such that fill the row: whole ones, to learn where the middle ends.
            text = self._window(choose, choose.randint(80, int(length * 2.6)))
        made = hole(text, choose)
        return f"{made.prompt()}{made.middle}{tokens.END_OF_TEXT}"

    def _function(self, choose: random.Random, _length: int) -> str:
        return choose.choice(self._functions).document()

    def _lesson(self, choose: random.Random, _length: int) -> str:
        lesson = choose.choice(self._lessons)
        phrase, kind = choose.choice(lesson.phrases), choose.random()
        if kind < 0.15:  # as a completion
            return f"# {phrase}\n{lesson.source}{tokens.END_OF_TEXT}"
        asked = choose.choice(headers(lesson.source)) if kind < 0.3 else request(phrase, choose)
        return Request(asked, lesson.source).document()

    def _window(self, choose: random.Random, characters: int) -> str:
        """Return about so many characters of a file, from the start of a line."""
        (source,) = choose.choices(self._sources, self._weights)
        start = source.text.rfind("\n", 0, choose.randrange(len(source.text))) + 1
        return source.text[start : start + characters]


def request(phrase: str, choose: random.Random) -> str:
    """Ask for something in one of the ways that people ask."""
    return choose.choice(_REQUESTS).format(phrase=phrase, Phrase=phrase[0].upper() + phrase[1:])
