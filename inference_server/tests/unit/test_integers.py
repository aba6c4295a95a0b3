"""Bounds of integers in a JSON schema."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codemodel_server.engines.llama_cpp.integers import integers_between

BOUNDS = st.none() | st.integers(-1200, 1200) | st.integers(-(10**17), 10**17)


def matches(expression: str, text: str) -> bool:
    """Whether a GBNF expression of literals, sets, repetitions and groups describes a text."""
    return re.fullmatch(expression.replace('"', "").replace(" ", ""), text) is not None


@given(BOUNDS, BOUNDS, st.data())
def test_integers_within_bounds_are_written_and_no_others(
    low: int | None, high: int | None, data: st.DataObject
) -> None:
    around = [bound + step for bound in (low, high, 0) if bound is not None for step in (-10, -1, 0, 1, 10)]
    number = data.draw(st.sampled_from(around) | st.integers(-2000, 2000) | st.integers())
    short = abs(number) < 10**16
    inside = short and (low is None or number >= low) and (high is None or number <= high)
    try:
        expression = integers_between(low, high)
    except ValueError:
        assert not inside
        return
    assert matches(expression, str(number)) == inside
    assert not matches(expression, f"0{abs(number)}")


def test_bounds_that_leave_nothing_are_refused() -> None:
    for low, high in ((2, 1), (10**16, None), (None, -(10**16))):
        with pytest.raises(ValueError, match="no integer"):
            integers_between(low, high)
