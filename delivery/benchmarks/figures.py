"""Figures of runs as the lines of JSON that they come to."""

import statistics
from collections.abc import Sequence

from e2e.benchmark import line

BENCH = "fetch"
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
    return line(
        BENCH,
        "verified download, curl and sha256sum",
        "s",
        statistics.median(ours),
        statistics.median(theirs),
        ratio=ratio,
        target=RATIO,
        ok=ratio <= RATIO,
    )


def memory_line(peaks: Sequence[float]) -> str:
    """The largest of the runs' peaks of resident memory, in MiB, against what is allowed."""
    peak = max(peaks)
    return line(BENCH, "peak memory", "MiB", peak, target=MEMORY_MIB, ok=peak <= MEMORY_MIB)
