"""Integers between two bounds, as a grammar of their digits. Pure."""

from collections.abc import Iterable, Iterator

_MOST_DIGITS = 16
"""No more than these are written: as many as llama.cpp's converter writes for any integer."""
_BEYOND = 10**_MOST_DIGITS


def integers_between(low: int | None, high: int | None) -> str:
    """The GBNF expression of all integers from one to another, without leading zeros.

    Args:
        low: the least; None if there is none.
        high: the greatest; None if there is none.

    Raises:
        ValueError: there is no such integer of 16 digits or less.
    """
    least = 1 - _BEYOND if low is None else max(low, 1 - _BEYOND)
    most = _BEYOND - 1 if high is None else min(high, _BEYOND - 1)
    if least > most:
        raise ValueError(f"there is no integer of at most {_MOST_DIGITS} digits from {low} to {high}")
    ways = []
    if least < 0:
        ways.append(f'"-" ({_either(_magnitudes(max(1, -most), -least))})')
    if most >= 0:
        ways.extend(_magnitudes(max(0, least), most))
    return _either(ways)


def _magnitudes(least: int, most: int) -> Iterator[str]:
    """Numbers without a sign, by how many digits they have."""
    for digits in range(len(str(least)), len(str(most)) + 1):
        shortest = 10 ** (digits - 1) if digits > 1 else 0
        yield _of_one_length(str(max(least, shortest)), str(min(most, 10**digits - 1)))


def _of_one_length(least: str, most: str) -> str:
    """Texts of digits from one to another, both of the same length."""
    digits = len(least)
    if least == "0" * digits and most == "9" * digits:
        return f"[0-9]{{{digits}}}"
    if digits == 1:
        return f"[{least}-{most}]"
    if least[0] == most[0]:
        return f'"{least[0]}" {_grouped(_of_one_length(least[1:], most[1:]))}'
    zeros, nines = "0" * (digits - 1), "9" * (digits - 1)
    # The first and the last of the leading digits may be followed by some only, those between them by any.
    first, last = int(least[0]), int(most[0])
    ways = []
    if least[1:] != zeros:
        ways.append(f'"{first}" {_grouped(_of_one_length(least[1:], nines))}')
        first += 1
    if most[1:] != nines:
        ways.append(f'"{last}" {_grouped(_of_one_length(zeros, most[1:]))}')
        last -= 1
    if first <= last:
        ways.append(f"[{first}-{last}] [0-9]{{{digits - 1}}}")
    return _either(ways)


def _grouped(expression: str) -> str:
    return f"({expression})" if "|" in expression else expression


def _either(ways: Iterable[str]) -> str:
    return " | ".join(ways)
