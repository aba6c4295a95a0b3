"""Figures as text, with no more digits than they deserve. Pure."""

import math
from datetime import UTC, datetime

NOTHING = "\N{EN DASH}"
"""Where there is no figure."""


def number(value: float | None, digits: int = 3) -> str:
    """Return a figure to so many significant digits, never in powers of ten."""
    if value is None:
        return NOTHING
    if value == 0:
        return "0"
    value = float(f"{value:.{digits}g}")  # before its digits are counted: 0.09999 is 0.1
    places = max(0, digits - 1 - math.floor(math.log10(abs(value))))
    return f"{value:,.{places}f}"


def percent(share: float | None) -> str:
    """Return a share of 0 to 1 in percent; 100 % only if nothing at all is missing."""
    if share is None:
        return NOTHING
    shown = f"{100 * share:.1f}"
    if share < 1 and shown == "100.0":
        shown = "99.9"
    return f"{shown.removesuffix('.0')} %"


def mebibytes(value: float) -> float:
    """Return bytes in MiB."""
    return value / (1 << 20)


def moment(unix: float) -> str:
    """Return a Unix time as people write it, in UTC."""
    return datetime.fromtimestamp(unix, UTC).strftime("%Y-%m-%d %H:%M UTC")
