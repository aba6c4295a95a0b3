from random import Random

import pytest

from e2e.load.trend import MIN_BINS, binned, theil_sen


def test_the_slope_of_a_line_is_exact() -> None:
    slope = theil_sen([(float(t), 5.0 - 2.0 * t) for t in range(20)])
    assert slope
    assert (slope.slope, slope.low, slope.high) == (-2, -2, -2)


def test_outliers_do_not_bend_it() -> None:
    """The figures are those of scipy.stats.theilslopes (1.17.1) on the same points."""
    points = [(float(t), 3.0 * t + t * 37 % 11 + (200 if t % 11 == 5 else 0)) for t in range(40)]
    slope = theil_sen(points)
    assert slope
    assert (slope.slope, slope.low, slope.high) == pytest.approx((3.0, 2.875, 3.15))


def test_few_points_give_no_slope() -> None:
    points = [(float(t), float(t)) for t in range(MIN_BINS)]
    assert theil_sen(points) is not None
    assert theil_sen(points[:-1]) is None


def test_bins_are_medians_over_equal_spans() -> None:
    points = [(float(t), 1000.0 if t % 10 == 9 else float(t)) for t in range(100)]
    bins = binned(points, 10)
    assert [at for at, _ in bins] == [4.5 + 10 * n for n in range(10)]
    # The outlier is the last of each ten, and moves the median by half a step at most.
    assert [value for _, value in bins] == [4.5 + 10 * n for n in range(10)]


def test_spans_without_points_have_no_bin() -> None:
    assert binned([(0.0, 1.0), (1.0, 3.0), (100.0, 5.0)], 10) == [(0.5, 2.0), (100.0, 5.0)]
    assert binned([(3.0, 1.0), (3.0, 2.0)], 10) == [(3.0, 1.5)]
    assert binned([]) == []


def wandering(seed: int, alike: float) -> list[tuple[float, float]]:
    """48 values without a trend, each so much like the one before."""
    random, value, points = Random(seed), 0.0, []
    for at in range(48):
        value = alike * value + random.gauss(0, 1)
        points.append((float(at), value))
    return points


def trends_seen(alike: float, *, allowed_for: bool) -> int:
    """In how many of 200 such series the interval leaves 0 out."""
    slopes = [theil_sen(wandering(seed, alike), alike=allowed_for) for seed in range(200)]
    return sum(slope is not None and not slope.low <= 0 <= slope.high for slope in slopes)


@pytest.mark.parametrize("alike", [0, 0.3, 0.6, 0.8])
def test_what_wanders_has_no_trend(alike: float) -> None:
    """By its definition, a 95 % interval is wrong five times in a hundred."""
    assert trends_seen(alike, allowed_for=True) <= 0.08 * 200
    if alike > 0.5:
        assert trends_seen(alike, allowed_for=False) > 0.2 * 200
