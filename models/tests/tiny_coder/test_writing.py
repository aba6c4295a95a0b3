"""What the model writes: code, and for what it has learned the right code."""

import json

import pytest

from codemodel_server.engines.request import Infill, Instruction, Plain
from models.tiny_coder import corpus, lesson
from models.tiny_coder.__main__ import FOLDER
from models.tiny_coder.code import code_of, parses
from models.tiny_coder.writing import NAMES, Write, answers, fills

LESSONS = {each.name: each for each in lesson.load()}


@pytest.mark.parametrize(
    ("asked", "name"),
    [
        ("Write a Python function that reverses a string.", "reverse_string"),
        ("How do I check whether a number is prime?", "is_prime"),
    ],
)
def test_it_answers_with_the_right_function(write: Write, asked: str, name: str) -> None:
    assert lesson.passes(LESSONS[name], code_of(write(Instruction(asked), 256)))


def test_it_writes_on(write: Write) -> None:
    begun = "import os\n\n\ndef main():\n    for name in os.listdir("
    assert parses(begun + write(Plain(begun), 64).rpartition("\n")[0])


@pytest.mark.parametrize(
    ("before", "after", "middle"),
    [
        ("def area(width, height):\n    return width *", "\n\n\nprint(area(2, 3))\n", " height"),
        ("def area(width, height):\n    return ", " * height\n", "width"),
        (
            "import os\n\n\ndef read(path):\n    with open(",
            ") as file:\n        return file.read()\n",
            "path",
        ),
        ("class Point:\n    def __init__(self, x):\n        self.x =", "\n\n    def get(self):\n", " x"),
    ],
)
def test_it_fills_in_the_name_that_is_obvious(write: Write, before: str, after: str, middle: str) -> None:
    assert write(Infill(before, after), 16) == middle


def test_the_cards_figures_are_those_of_the_file(write: Write) -> None:
    """A part of them, calculated anew: what passes on this machine may differ by a tie or two."""
    said = json.loads((FOLDER / "figures.json").read_text())["answers"]
    for way, found in answers(write, lesson.load()).items():
        assert found["of"] == said[way]["of"]
        assert found["pass"] == pytest.approx(said[way]["pass"], abs=0.03)
        assert found["parse"] == pytest.approx(said[way]["parse"], abs=0.03)


def test_the_card_says_how_often_it_fills_in_a_name(write: Write) -> None:
    said = json.loads((FOLDER / "figures.json").read_text())["fills"][NAMES]
    found = fills(write, corpus.read(), [NAMES])[NAMES]
    assert found["exact"] == pytest.approx(said["exact"], abs=0.03)
    assert found["parse"] == pytest.approx(said["parse"], abs=0.03)


def test_code_is_taken_from_the_fence() -> None:
    assert code_of("Here:\n```python\nx = 1\n```\nDone.") == "x = 1\n"
    assert code_of("```\nx = 1\n") == ""
    assert code_of("x = 1") == ""
