"""What a load run amounts to. Pure."""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Request:
    """One request and how it ended."""

    sent: float
    """When it was sent (Unix time, seconds)."""

    seconds: float
    """Until its answer was complete, or until it failed."""

    status: int | None
    """HTTP status; None when there was no complete answer."""

    replica: str | None = None
    """The replica that answered, if the answer is a 200."""

    error: str | None = None
    """What went wrong, when there was no complete answer."""

    @property
    def failed(self) -> bool:
        """Neither answered nor politely refused: 429 is how a full queue works, everything else is a fault."""
        return self.status not in {200, 429}


@dataclass(frozen=True)
class Summary:
    """Counts and latencies of a run."""

    requests: int
    by_status: dict[str, int]
    """Number of requests by HTTP status, ``none`` for those without a complete answer."""

    by_replica: dict[str, int]
    """Number of answers by the replica that gave them."""

    p50: float | None
    """Latency of answered requests in seconds, as are the following; None when nothing was answered."""

    p90: float | None
    p99: float | None


def summarise(requests: Sequence[Request]) -> Summary:
    """Return what the requests amount to."""
    answered = sorted(request.seconds for request in requests if request.status == 200)
    return Summary(
        requests=len(requests),
        by_status=dict(Counter(str(request.status or "none") for request in requests)),
        by_replica=dict(Counter(request.replica for request in requests if request.replica)),
        p50=percentile(answered, 50),
        p90=percentile(answered, 90),
        p99=percentile(answered, 99),
    )


def percentile(ascending: Sequence[float], percent: float) -> float | None:
    """Return the smallest value that at least ``percent`` % of the values do not exceed (nearest rank).

    Args:
        ascending: the values, sorted.
        percent: above 0, at most 100.
    """
    if not ascending:
        return None
    return ascending[math.ceil(percent / 100 * len(ascending)) - 1]
