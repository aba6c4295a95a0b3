"""Figures of runs as the lines of JSON that every benchmark of this project prints."""

import json
import statistics
from collections.abc import Sequence

RATIO = 0.75
"""What a verified download may take, of the time of curl and sha256sum."""
MEMORY_MIB = 64.0
"""What it may have in memory."""


def time_line(ours: Sequence[float], theirs: Sequence[float]) -> str:
    """Seconds of a verified download against curl and sha256sum.

    Args:
        ours: seconds, a value a run.
        theirs: seconds of the run beside it. The ratio is the median of the pairs' ratios, because what slows a machine
            down for a while slows both.
    """
    ratio = statistics.median(mine / other for mine, other in zip(ours, theirs, strict=True))
    return _line(
        case="verified download, curl and sha256sum",
        unit="s",
        ours=_rounded(statistics.median(ours)),
        theirs=_rounded(statistics.median(theirs)),
        ratio=_rounded(ratio),
        target=RATIO,
        ok=ratio <= RATIO,
    )


def memory_line(peaks: Sequence[float]) -> str:
    """The largest of the runs' peaks of resident memory, in MiB, against what is allowed."""
    peak = max(peaks)
    return _line(
        case="peak memory",
        unit="MiB",
        ours=_rounded(peak),
        theirs=None,
        ratio=None,
        target=MEMORY_MIB,
        ok=peak <= MEMORY_MIB,
    )


def _line(**fields: str | float | bool | None) -> str:
    return json.dumps({"bench": "fetch", **fields})


def _rounded(value: float) -> float:
    """The value to four digits: more would be noise."""
    return float(f"{value:.4g}")
