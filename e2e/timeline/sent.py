"""The load, as a timeline knows it. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass

from e2e.load.results import Request


@dataclass(frozen=True)
class Sent:
    """One request of the load; times are Unix times in seconds."""

    at: float
    first_token: float | None
    """None when there was none."""

    replica: str | None
    """Which replica answered."""


def sent_by(requests: Iterable[Request], started: float = 0.0) -> list[Sent]:
    """Return the requests of a load on the clock of a timeline.

    Args:
        requests: as the load's results have them.
        started: where their times count from, Unix time in seconds.
    """
    return [
        Sent(
            started + request.sent,
            None if request.first_token is None else started + request.first_token,
            request.replica,
        )
        for request in requests
    ]
