"""Holes can be filled again, and are where cursors are."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.tiny_coder import tokens
from models.tiny_coder.holes import Hole, a_name, anywhere, at_a_word

CODE = "def area(width, height):\n    return width * height\n\n\nprint(area(2, 3))\n"


@given(st.text(min_size=1, alphabet="ab_(, \n"), st.integers())
def test_a_hole_and_what_was_in_it_are_the_text(text: str, seed: int) -> None:
    for cut in (anywhere, at_a_word):
        made = cut(text, random.Random(seed))
        assert made.prefix + made.middle + made.suffix == text


def test_a_cursor_is_never_inside_of_a_word() -> None:
    made = [at_a_word(CODE, random.Random(seed)) for seed in range(300)]
    assert not [
        each for each in made if each.prefix[-1:].isalnum() and f"{each.middle}{each.suffix}"[:1].isalnum()
    ]
    # The space before a word is typed already, or it is not.
    assert {each.middle for each in made} > {"width", " width"}
    assert any("\n" in each.middle for each in made)


@pytest.mark.parametrize("suffix_first", [True, False])
def test_prefix_and_suffix_are_told_apart(*, suffix_first: bool) -> None:
    prompt = Hole("before", "after", "between").prompt(suffix_first=suffix_first)
    before, after = prompt.index("before"), prompt.index("after")
    assert prompt.startswith(tokens.FIM_PREFIX)
    assert (after < prompt.index(tokens.FIM_MIDDLE) < before) is suffix_first
    assert prompt.endswith("before" if suffix_first else tokens.FIM_MIDDLE)
    assert "between" not in prompt


def test_a_name_is_one_that_stands_before_the_hole() -> None:
    code = "def area(width, height):\n    return width * height\n"
    found = {a_name(code, random.Random(seed)) for seed in range(20)}
    assert {each.middle for each in found if each} == {"width", "height"}
    assert all(each and each.prefix + each.middle + each.suffix == code for each in found)
    assert a_name("x = 1\n", random.Random(1)) is None
