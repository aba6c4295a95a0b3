"""What the model writes on what was held out, by llama.cpp: how much of it is Python, and how much is right."""

import random
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from statistics import fmean
from typing import TypeVar

from codemodel_server.cancellation import Cancellation
from codemodel_server.engines.events import Text
from codemodel_server.engines.llama_cpp.engine import LlamaCppEngine
from codemodel_server.engines.request import GenerationRequest, Infill, Instruction, Plain, Reading, Sampling
from models.tiny_coder.asking import Function, functions
from models.tiny_coder.code import code_of, parses
from models.tiny_coder.corpus import Source
from models.tiny_coder.holes import Hole, a_name, anywhere, at_a_word
from models.tiny_coder.lesson import Lesson, passes

A = TypeVar("A")
B = TypeVar("B")

Write = Callable[[Reading, int], str]
"""Gives what the model writes, always its likeliest token, at most so many."""

Cut = Callable[[str, random.Random], Hole | None]


def _as_the_file_says(hole: Hole) -> Reading:
    return Infill(hole.prefix, hole.suffix)


def _prefix_first(hole: Hole) -> Reading:
    return Plain(hole.prompt(suffix_first=False))


_CHATS = (
    "Write a Python function that reverses a string.",
    "How do I check whether a number is prime?",
    "def fibonacci(n):",
    "Write a function that downloads a web page",
    "What is the capital of France?",
)
_BEGINNINGS = (
    "import unittest\n\n\nclass TestStack(unittest.TestCase):\n    def test_",
    "def read_config(path):\n    with open(path",
)
_GAPS = (
    ("def area(width, height):\n    return width *", "\n\n\nprint(area(2, 3))\n"),
    ("def read(path):\n    with open(", ") as file:\n        return file.read()\n"),
    ("class Point:\n    def __init__(self, x, y):\n        self.x = x\n", "\n\n    def norm(self):\n"),
    ("for name in names:\n    if ", ":\n        found.append(name)\n"),
)

NAMES = "a name that stands before it, too"
_CUTS: dict[str, tuple[Cut, Callable[[Hole], Reading]]] = {
    NAMES: (a_name, _as_the_file_says),
    "the same, asked with the prefix first": (a_name, _prefix_first),
    "words, the rest of a line, or some lines": (at_a_word, _as_the_file_says),
    "the rest of a line, some lines, or any characters": (anywhere, _as_the_file_says),
}
"""Kinds of holes: how they are cut, and how they are asked for."""

_TOGETHER = 8
_HOLES = 200
_SEED = 1


@contextmanager
def writing(path: Path) -> Iterator[Write]:
    """Load a GGUF file with llama.cpp and give what writes with it; for threads."""
    engine = LlamaCppEngine(path, 1024, _TOGETHER, 2)
    engine.load()

    def write(reading: Reading, most: int) -> str:
        request = GenerationRequest(reading, most, Sampling(temperature=0))
        events = engine.prepare(request).run(Cancellation())
        return "".join(event.text for event in events if isinstance(event, Text))

    try:
        yield write
    finally:
        engine.close()


def completions(write: Write, sources: Sequence[Source]) -> dict[str, float]:
    """Return how many of the held-out functions parse when the model writes on after the docstring.

    It writes 128 tokens; the last line, which their end may have cut, does not count.
    """
    begun = [function.begun for function in _held_out(sources)]
    written = _together(lambda text: write(Plain(text), 128), begun)
    whole = [text + more.rpartition("\n")[0] for text, more in zip(begun, written, strict=True)]
    return {"of": len(begun), "parse": fmean(map(parses, whole))}


def fills(
    write: Write, sources: Sequence[Source], kinds: Sequence[str] = tuple(_CUTS)
) -> dict[str, dict[str, float]]:
    """Return how often a hole in a held-out function is filled with what was there, and so that it parses, by kind."""
    whole = [function.code for function in _held_out(sources) if parses(function.code)]
    return {kind: _filled(write, whole, *_CUTS[kind]) for kind in kinds}


def _filled(
    write: Write, texts: Sequence[str], cut: Cut, asked: Callable[[Hole], Reading]
) -> dict[str, float]:
    choose = random.Random(_SEED)  # noqa: S311 (no secret)
    endless = (cut(choose.choice(texts), choose) for _ in iter(int, 1))
    holes = list(islice((each for each in endless if each and each.middle), _HOLES))
    written = _together(lambda each: write(asked(each), 96), holes)
    pairs = list(zip(holes, written, strict=True))
    return {
        "of": len(holes),
        "exact": fmean(text == each.middle for each, text in pairs),
        "parse": fmean(parses(each.prefix + text + each.suffix) for each, text in pairs),
    }


def answers(write: Write, lessons: Sequence[Lesson]) -> dict[str, dict[str, float]]:
    """Return how often requests are answered with code that parses, and that passes the lesson's checks."""
    return {
        "asked as in training": _answered(write, lessons, [lesson.phrases[0] for lesson in lessons]),
        "asked in words held out": _answered(write, lessons, [lesson.held_out for lesson in lessons]),
    }


def _answered(write: Write, lessons: Sequence[Lesson], asked: Sequence[str]) -> dict[str, float]:
    written = _together(lambda text: code_of(write(Instruction(text), 256)), asked)
    good = _together(lambda pair: passes(*pair), list(zip(lessons, written, strict=True)))
    return {
        "of": len(lessons),
        "parse": fmean(bool(code) and parses(code) for code in written),
        "pass": fmean(good),
    }


def samples(write: Write) -> list[dict[str, str]]:
    """Return what is written for the model card's examples."""
    asked = [{"kind": "chat", "prompt": text, "text": write(Instruction(text), 128)} for text in _CHATS]
    begun = [
        {"kind": "completion", "prompt": text, "suffix": "", "text": write(Plain(text), 48)}
        for text in _BEGINNINGS
    ]
    cut = [
        {"kind": "infill", "prompt": prefix, "suffix": suffix, "text": write(Infill(prefix, suffix), 48)}
        for prefix, suffix in _GAPS
    ]
    return asked + begun + cut


def _held_out(sources: Sequence[Source]) -> list[Function]:
    return [function for source in sources if source.held_out for function in functions(source)]


def _together(do: Callable[[A], B], things: Sequence[A]) -> list[B]:
    with ThreadPoolExecutor(_TOGETHER) as pool:
        return list(pool.map(do, things))
