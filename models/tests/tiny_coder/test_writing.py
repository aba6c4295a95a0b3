"""What the model writes: code, and for what it has learned the right code."""

import json
import random

import pytest

from codemodel_server.engines.request import Instruction, Plain
from models.tiny_coder import lesson
from models.tiny_coder.__main__ import FOLDER
from models.tiny_coder.code import code_of, parses
from models.tiny_coder.writing import Write, a_name, answers

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
    begun = "class Stack:\n    def __init__(self):\n        self.items = "
    assert parses(begun + write(Plain(begun), 64).rpartition("\n")[0])


def test_the_cards_figures_are_those_of_the_file(write: Write) -> None:
    """A part of them, calculated anew: what passes on this machine may differ by a tie or two."""
    said = json.loads((FOLDER / "figures.json").read_text())["answers"]
    for way, found in answers(write, lesson.load()).items():
        assert found["of"] == said[way]["of"]
        assert found["pass"] == pytest.approx(said[way]["pass"], abs=0.03)
        assert found["parse"] == pytest.approx(said[way]["parse"], abs=0.03)


def test_code_is_taken_from_the_fence() -> None:
    assert code_of("Here:\n```python\nx = 1\n```\nDone.") == "x = 1\n"
    assert code_of("```\nx = 1\n") == ""
    assert code_of("x = 1") == ""


def test_a_name_is_one_that_stands_before_the_hole() -> None:
    code = "def area(width, height):\n    return width * height\n"
    found = {a_name(code, random.Random(seed)) for seed in range(20)}
    assert {each.middle for each in found if each} == {"width", "height"}
    assert all(each and each.prefix + each.middle + each.suffix == code for each in found)
    assert a_name("x = 1\n", random.Random(1)) is None
