"""What every benchmark of this project has in common: the lines that it prints, and how its command line behaves."""

import argparse
import json
import signal
from collections.abc import Sequence

from e2e.cluster import steps
from e2e.load import statistics


def line(
    bench: str,
    case: str,
    unit: str,
    ours: float,
    theirs: float | None = None,
    *,
    ratio: float | None = None,
    target: float | None = None,
    ok: bool | None = None,
) -> str:
    """Return one case as a line of JSON.

    Args:
        bench: which benchmark.
        case: what was measured.
        unit: what it counts.
        ours: our figure.
        theirs: the peer's; None without a peer.
        ratio: ours / theirs; None without a peer.
        target: what the ratio, or without a peer our figure, is to be; None only reports.
        ok: whether it is.
    """
    return json.dumps(
        {
            "bench": bench,
            "case": case,
            "unit": unit,
            "ours": rounded(ours),
            "theirs": None if theirs is None else rounded(theirs),
            "ratio": None if ratio is None else rounded(ratio),
            "target": target,
            "ok": ok,
        },
        ensure_ascii=False,
    )


def rounded(value: float) -> float:
    """Return the value to four digits: more would be noise."""
    return float(f"{value:.4g}")


def percentile(values: Sequence[float], percent: float) -> float:
    """Return the smallest of the values that so many percent of them do not exceed (nearest rank).

    Raises:
        ValueError: there are no values.
    """
    if not values:
        raise ValueError("no values")
    return statistics.percentile(sorted(values), percent)


def positive(text: str) -> int:
    """Parse a count on a command line.

    Raises:
        argparse.ArgumentTypeError: it is no whole number above 0.
    """
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number above 0")
    return int(text)


def end_as_with_ctrl_c() -> None:
    """Let every signal that ends a program do so by KeyboardInterrupt: what was started is ended, too."""
    for number in steps.ENDING:
        signal.signal(number, _interrupt)


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt
