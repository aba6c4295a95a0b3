"""Whether the target stays as it was: memory and latency over the time of a soak. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from e2e.load.results import Request, Sample, Slope, SoakFindings, SoakVerdict
from e2e.load.trend import Point, binned, theil_sen

WARM_UP = 0.2
"""The first part of the run is left out: caches fill and pools grow to their size."""

MAX_MEMORY_GROWTH = 0.05
MAX_LATENCY_GROWTH = 0.10
"""What may be added in an hour, as a share of the median. A leak of 5 % an hour doubles a process in a day."""

MIN_SEEN_GROWTH = 0.01
"""What has to be added during the run itself, as a share of the median, before anything is said to grow: a process that
adds half a megabyte in its first minutes would, in an hour, seem to leak."""

MIN_SUCCESS = 0.99
"""A target that fails more often at a load that it bears is not steady, whatever the slopes."""

_HOUR = 3600.0


def judge(requests: Sequence[Request], samples: Sequence[Sample], begin: float, end: float) -> SoakFindings:
    """Return slopes and verdict.

    Args:
        requests: of the run.
        samples: of the run.
        begin: of its load, on their clock (seconds).
        end: the same.
    """
    warm = begin + WARM_UP * (end - begin)
    memory = {
        name: slope for name, points in sorted(_memory(samples, warm).items()) if (slope := _hourly(points))
    }
    latencies = [(r.scheduled, r.latency) for r in requests if r.succeeded and r.scheduled >= warm]
    # A machine that has more to do, or is slower, is so for a while.
    latency = _hourly(latencies, alike=True)
    success = sum(request.succeeded for request in requests) / len(requests) if requests else 0.0
    verdict, reason = _verdict(memory, latency, success, (end - warm) / _HOUR)
    return SoakFindings(
        memory_slope_bytes_per_hour=memory,
        latency_slope_seconds_per_hour=latency,
        verdict=verdict,
        reason=reason,
    )


def _memory(samples: Sequence[Sample], warm: float) -> dict[str, list[Point]]:
    points: dict[str, list[Point]] = {}
    for sample in samples:
        for replica in sample.replicas:
            if sample.at >= warm and replica.memory_bytes is not None:
                points.setdefault(replica.name, []).append((sample.at, replica.memory_bytes))
    return points


def _hourly(points: Sequence[Point], *, alike: bool = False) -> Slope | None:
    return theil_sen([(at / _HOUR, value) for at, value in binned(points)], alike=alike)


def _verdict(
    memory: dict[str, Slope], latency: Slope | None, success: float, hours: float
) -> tuple[SoakVerdict, str]:
    if success < MIN_SUCCESS:
        return "failing", f"{success:.1%} of the requests succeeded, less than {MIN_SUCCESS:.0%}"
    trends = [
        _Trend("memory grows", f"memory of {name}", slope, MAX_MEMORY_GROWTH, 1e6, "MB")
        for name, slope in memory.items()
    ]
    if latency:
        trends.append(_Trend("latency grows", "latency", latency, MAX_LATENCY_GROWTH, 1e-3, "ms"))
    for trend in trends:
        if trend.slope.low > trend.most and trend.slope.low * hours > MIN_SEEN_GROWTH * trend.slope.median:
            return trend.verdict, trend.told
    for trend in trends:
        if trend.slope.high > trend.most:
            return "inconclusive", f"{trend.told}: run it for longer"
    if not memory or latency is None:
        return "inconclusive", f"too few {'latencies' if memory else 'samples of memory'}: run it for longer"
    return "steady", "; ".join(trend.told for trend in trends)


@dataclass(frozen=True)
class _Trend:
    verdict: SoakVerdict
    what: str
    slope: Slope
    growth: float
    unit: float
    name: str

    @property
    def most(self) -> float:
        """What may be added in an hour."""
        return self.growth * self.slope.median

    @property
    def told(self) -> str:
        slope, unit = self.slope, self.unit
        return (
            f"{self.what} {slope.slope / unit:+.3g} {self.name} an hour (95 %: {slope.low / unit:+.3g} to "
            f"{slope.high / unit:+.3g}) at {slope.median / unit:.3g} {self.name}, where {self.growth:.0%} is allowed"
        )
