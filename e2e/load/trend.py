"""Trends over time that outliers do not bend. Pure."""

import math
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from itertools import pairwise
from statistics import median

from e2e.load.results import Slope

BINS = 60
MIN_BINS = 8
"""Fewer points give no confidence interval worth the name."""

_Z95 = 1.959964
"""97.5 % quantile of the normal distribution: both sides of 95 %."""

_MOST_ALIKE = 0.95
"""Where neighbours resemble one another more, the correction has no meaning: 39 times fewer are few enough."""

Point = tuple[float, float]


def binned(points: Sequence[Point], bins: int = BINS) -> list[Point]:
    """Return the median point of each of so many equal spans of time, without the empty ones.

    Neighbouring measurements resemble one another; as they are, they would make the interval too narrow.

    Args:
        points: (time, value), in any order.
        bins: at most so many points are returned.
    """
    if not points:
        return []
    first = min(at for at, _ in points)
    width = (max(at for at, _ in points) - first) / bins
    spans: dict[int, list[Point]] = {}
    for at, value in points:
        spans.setdefault(min(int((at - first) / width), bins - 1) if width else 0, []).append((at, value))
    return [
        (median(at for at, _ in span), median(value for _, value in span))
        for _, span in sorted(spans.items())
    ]


def theil_sen(points: Sequence[Point], *, alike: bool = False) -> Slope | None:
    """Fit a line: the median of the slopes between all pairs of points, and its 95 % confidence interval.

    P. K. Sen, "Estimates of the regression coefficient based on Kendall's tau", Journal of the American Statistical
    Association 63 (1968): with N slopes in ascending order and C = z * sqrt(n (n - 1) (2n + 5) / 18), the interval is
    from the slope at rank (N - C) / 2 to that at rank (N + C) / 2 + 1.

    Args:
        points: (time, value) with different times.
        alike: neighbours may resemble one another more than the line tells, and so tell less than so many independent
            points: C grows by the root of ``inflation``.

    Returns:
        the slope in values per unit of time; None for fewer than ``MIN_BINS`` points.
    """
    n = len(points)
    if n < MIN_BINS:
        return None
    ordered = sorted(points)
    slopes = sorted(
        (late[1] - early[1]) / (late[0] - early[0])
        for index, early in enumerate(ordered)
        for late in ordered[index + 1 :]
    )
    slope = median(slopes)
    fewer = inflation([value - slope * at for at, value in ordered]) if alike else 1.0
    spread = _Z95 * math.sqrt(n * (n - 1) * (2 * n + 5) / 18 * fewer)
    below = max(math.floor((len(slopes) - spread) / 2), 1)
    above = min(math.ceil((len(slopes) + spread) / 2) + 1, len(slopes))
    return Slope(
        slope=slope,
        low=slopes[below - 1],
        high=slopes[above - 1],
        median=median(value for _, value in ordered),
    )


def inflation(rest: Sequence[float]) -> float:
    """Return how many times fewer independent values tell as much as these, each of which resembles the one before.

    (1 + r) / (1 - r), where r is the autocorrelation of the ranks from one value to the next: G. V. Bayley and J. M.
    Hammersley, "The effective number of independent observations in an autocorrelated time series", Supplement to the
    Journal of the Royal Statistical Society 8 (1946). The estimate of r is too small by (1 + 3 r) / n: M. G. Kendall,
    "Note on bias in the estimation of autocorrelation", Biometrika 41 (1954).

    Args:
        rest: what is left of the values without their trend, in the order of time.

    Returns:
        1 for values that do not resemble one another, or less than those would.
    """
    ordered = sorted(rest)
    # Ranks, less their mean: whatever ties there are, it is half of how many there are.
    away = [(bisect_left(ordered, value) + bisect_right(ordered, value) - len(rest)) / 2 for value in rest]
    if not (total := sum(each * each for each in away)):
        return 1.0
    alike = sum(early * late for early, late in pairwise(away)) / total
    alike = min(alike + (1 + 3 * alike) / len(rest), _MOST_ALIKE)
    return max((1 + alike) / (1 - alike), 1.0)
