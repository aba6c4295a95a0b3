"""Trends over time that outliers do not bend. Pure."""

import math
from collections.abc import Sequence
from statistics import median

from e2e.load.results import Slope

BINS = 60
MIN_BINS = 8
"""Fewer points give no confidence interval worth the name."""

_Z95 = 1.959964
"""97.5 % quantile of the normal distribution: both sides of 95 %."""

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


def theil_sen(points: Sequence[Point]) -> Slope | None:
    """Fit a line: the median of the slopes between all pairs of points, and its 95 % confidence interval.

    P. K. Sen, "Estimates of the regression coefficient based on Kendall's tau", Journal of the American Statistical
    Association 63 (1968): with N slopes in ascending order and C = z * sqrt(n (n - 1) (2n + 5) / 18), the interval is
    from the slope at rank (N - C) / 2 to that at rank (N + C) / 2 + 1.

    Args:
        points: (time, value) with different times.

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
    spread = _Z95 * math.sqrt(n * (n - 1) * (2 * n + 5) / 18)
    below = max(math.floor((len(slopes) - spread) / 2), 1)
    above = min(math.ceil((len(slopes) + spread) / 2) + 1, len(slopes))
    return Slope(
        slope=median(slopes),
        low=slopes[below - 1],
        high=slopes[above - 1],
        median=median(value for _, value in ordered),
    )
