"""What the requests of a phase amount to. Pure."""

import math
from collections import Counter
from collections.abc import Iterable, Sequence

from e2e.load.results import Distribution, Goodput, Request, Summary


def summarise(requests: Sequence[Request], begin: float, end: float, bounds: Goodput) -> Summary:
    """Return counts, rates and times.

    Args:
        requests: those of one phase, in any order.
        begin: when the phase began, on the requests' clock (seconds).
        end: when its last request could be scheduled.
        bounds: what an answer has to keep to be good.
    """
    good = [request for request in requests if request.succeeded]
    # Answers that come after the end took that time, too: without it, a queue that grows would look like throughput.
    seconds = max([end, *(request.ended for request in good)]) - begin
    kept = None if good and not streamed(good) else [request for request in good if keeps(request, bounds)]
    return Summary(
        requests=len(requests),
        by_status=dict(sorted(Counter(str(request.status or "none") for request in requests).items())),
        by_replica=dict(sorted(Counter(request.replica for request in good if request.replica).items())),
        success_rate=len(good) / len(requests) if requests else None,
        achieved_rate=_rate(len(good), seconds),
        tokens_per_second=_rate(sum(request.tokens or 0 for request in good), seconds),
        latency=distribution(request.latency for request in good),
        ttft=distribution(request.ttft for request in good),
        tpot=distribution(request.tpot for request in good),
        inter_token=distribution(gap for request in good for gap in request.gaps),
        goodput_rate=None if kept is None else _rate(len(kept), seconds),
        goodput_fraction=None if kept is None or not requests else len(kept) / len(requests),
    )


def streamed(requests: Iterable[Request]) -> bool:
    """Whether any answer came piece by piece."""
    return any(request.first_token is not None for request in requests)


def keeps(request: Request, bounds: Goodput) -> bool:
    """Whether an answer is within both bounds; one of a single token has only the first to keep."""
    in_time = request.ttft is not None and request.ttft <= bounds.ttft_seconds
    return request.succeeded and in_time and (request.tpot is None or request.tpot <= bounds.tpot_seconds)


def distribution(values: Iterable[float | None]) -> Distribution | None:
    """Return mean, percentiles and maximum of the values that are not None; None if there are none."""
    ascending = sorted(value for value in values if value is not None)
    if not ascending:
        return None
    return Distribution(
        mean=math.fsum(ascending) / len(ascending),
        p50=percentile(ascending, 50),
        p90=percentile(ascending, 90),
        p99=percentile(ascending, 99),
        max=ascending[-1],
    )


def percentile(ascending: Sequence[float], percent: float) -> float:
    """Return the smallest value that at least ``percent`` % of the values do not exceed (nearest rank).

    Args:
        ascending: the values, sorted; at least one.
        percent: at most 100; 0 gives the smallest.
    """
    return ascending[max(0, math.ceil(len(ascending) * percent / 100) - 1)]


def _rate(count: int, seconds: float) -> float:
    return count / seconds if seconds > 0 else 0.0
