"""What the model writes: code, and for what it has learned the right code."""

import json

import pytest

from codemodel_server.engines.request import Infill, Instruction
from models.tiny_coder import corpus, lesson
from models.tiny_coder.__main__ import FOLDER
from models.tiny_coder.code import code_of
from models.tiny_coder.writing import NAMES, Write, answers, completions, fills

LESSONS = {each.name: each for each in lesson.load()}


@pytest.mark.parametrize(
    ("asked", "name"),
    [
        ("Write a function to reverse a string.", "reverse_string"),
        ("How do I check whether a number is prime?", "is_prime"),
    ],
)
def test_it_answers_with_the_right_function(write: Write, asked: str, name: str) -> None:
    assert lesson.passes(LESSONS[name], code_of(write(Instruction(asked), 256)))


def test_the_card_says_how_often_it_goes_on_with_python(write: Write) -> None:
    """Calculated anew: a tie that another machine breaks otherwise changes all that follows."""
    said = json.loads((FOLDER / "figures.json").read_text())["completions"]
    found = completions(write, corpus.read())
    assert found["of"] == said["of"]
    assert found["parse"] == pytest.approx(said["parse"], abs=0.12)


@pytest.mark.parametrize(
    ("before", "after", "middle"),
    [
        ("def area(width, height):\n    return width *", "\n\n\nprint(area(2, 3))\n", " height"),
        ("def area(width, height):\n    return ", " * height\n", "width"),
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
    assert found["exact"] == pytest.approx(said["exact"], abs=0.04)
    assert found["parse"] == pytest.approx(said["parse"], abs=0.08)


def test_code_is_taken_from_the_fence() -> None:
    assert code_of("Here:\n```python\nx = 1\n```\nDone.") == "x = 1\n"
    assert code_of("```\nx = 1\n") == ""
    assert code_of("x = 1") == ""
