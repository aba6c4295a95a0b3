"""Holes in texts, and how a model is asked to fill them."""

import io
import keyword
import random
import re
import tokenize
from dataclasses import dataclass

from models.tiny_coder import tokens

SUFFIX_FIRST = "spm"
"""The order of suffix, prefix and middle. What is filled in goes on behind the prefix as any text does, which a small
model need not learn anew; behind prefix and suffix it first has to find the prefix's end again (M. Bavarian et al.,
"Efficient Training of Language Models to Fill in the Middle", 2022, section 3)."""

_WORDS = re.compile(r"\w+|[^\w\s]|\s+")


@dataclass(frozen=True, slots=True)
class Hole:
    """A text with a part taken out."""

    prefix: str
    suffix: str
    middle: str

    def prompt(self, *, suffix_first: bool) -> str:
        """Return what the middle is to follow: suffix and prefix, or as llama.cpp's server asks, prefix and suffix."""
        if suffix_first:
            return f"{tokens.FIM_PREFIX}{tokens.FIM_SUFFIX}{self.suffix}{tokens.FIM_MIDDLE}{self.prefix}"
        return f"{tokens.FIM_PREFIX}{self.prefix}{tokens.FIM_SUFFIX}{self.suffix}{tokens.FIM_MIDDLE}"


def anywhere(text: str, choose: random.Random) -> Hole:
    """Take a part out of a text: the rest of a line, some lines, or any characters."""
    kind = choose.random()
    start = choose.randrange(len(text))
    line_start, line_end = text.rfind("\n", 0, start) + 1, _line_end(text, start)
    if kind < 0.4:  # the rest of a line
        end = line_end
    elif kind < 0.7:  # lines: what begins after the indentation
        start = _indented(text, line_start, line_end)
        end = _lines_end(text, line_end, choose.choice((0, 0, 1, 1, 2, 3, 5)))
    else:
        end = min(len(text), start + choose.randint(1, 60))
    return _taken(text, start, end)


def at_a_word(text: str, choose: random.Random) -> Hole:
    """Take a part out of a text where a cursor stands: words, the rest of a line, or some lines, from a word on.

    The space before the word is typed already in half of the holes, and in the others not.
    """
    spans = [found.span() for found in _WORDS.finditer(text)]
    names = [(start, end) for start, end in spans if text[start].isalnum() or text[start] == "_"] or spans
    kind = choose.random()
    if kind < 0.45:
        first = choose.randrange(len(names))
        last = min(len(names) - 1, first + choose.choice((0, 0, 0, 0, 1, 2)))
        start, end = names[first][0], names[last][1]
    else:
        start, _ = choose.choice(spans)
        line_start, end = text.rfind("\n", 0, start) + 1, _line_end(text, start)
        if kind > 0.8:
            start = _indented(text, line_start, end)
            end = _lines_end(text, end, choose.choice((0, 0, 0, 1, 1, 2, 3)))
    if text[start - 1 : start] == " " and choose.random() < 0.5:
        start -= 1
    return _taken(text, start, end)


def a_name(code: str, choose: random.Random) -> Hole | None:
    """Take out a name that stands before the hole, too; None if there is none."""
    lines = code.splitlines(keepends=True)
    seen: set[str] = set()
    places = []
    for token in tokenize.generate_tokens(io.StringIO(code).readline):
        if token.type == tokenize.NAME and not keyword.iskeyword(token.string) and len(token.string) > 2:
            if token.string in seen:
                row, column = token.start
                start = sum(map(len, lines[: row - 1])) + column
                places.append((start, start + len(token.string)))
            seen.add(token.string)
    if not places:
        return None
    start, end = choose.choice(places)
    return _taken(code, start, end)


def _taken(text: str, start: int, end: int) -> Hole:
    return Hole(text[:start], text[end:], text[start:end])


def _indented(text: str, start: int, end: int) -> int:
    return end - len(text[start:end].lstrip(" "))


def _lines_end(text: str, end: int, more: int) -> int:
    for _ in range(more):
        end = _line_end(text, end + 1)
    return end


def _line_end(text: str, start: int) -> int:
    end = text.find("\n", start)
    return len(text) if end < 0 else end
