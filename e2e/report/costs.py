"""What requests and tokens cost at a load. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from e2e.report.prices import Machine, Replica

HOURS_A_MONTH = 730
"""A mean month, 365 days of 24 hours over 12, as cloud providers count."""

_SECONDS_AN_HOUR = 3600


@dataclass(frozen=True, slots=True)
class Load:
    """What a number of replicas did in a second, on average."""

    replicas: float
    requests_per_second: float
    """Answers that were complete; failures cost too, but nobody buys them."""

    tokens_per_second: float


@dataclass(frozen=True, slots=True)
class Cost:
    """What a load costs on a machine, in the machine's currency."""

    per_hour: float
    per_thousand_requests: float | None
    """None where nothing was answered."""

    per_million_tokens: float | None


def cost(load: Load, machine: Machine, replica: Replica) -> Cost:
    """Return what the replicas cost, over what they did in the same time."""
    per_hour = load.replicas * machine.replica_price(replica)
    return Cost(
        per_hour,
        _each(per_hour, load.requests_per_second, 1e3),
        _each(per_hour, load.tokens_per_second, 1e6),
    )


def idle_month(replicas: float, machine: Machine, replica: Replica) -> float:
    """Return what replicas cost in a month in which nobody asks anything."""
    return replicas * machine.replica_price(replica) * HOURS_A_MONTH


def mean_ready(samples: Sequence[tuple[float, int]], begin: float, end: float) -> float | None:
    """Return the mean number of ready replicas in a time.

    Args:
        samples: seconds and how many were ready then, oldest first.
        begin: seconds.
        end: seconds.

    Returns:
        None if nobody looked in that time.
    """
    found = [ready for at, ready in samples if begin <= at <= end]
    return sum(found) / len(found) if found else None


def _each(per_hour: float, per_second: float, amount: float) -> float | None:
    return per_hour / (per_second * _SECONDS_AN_HOUR) * amount if per_second else None
