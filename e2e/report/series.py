"""Requests over time: how many, and how long they took. Pure."""

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from e2e.load.results import Distribution, Request
from e2e.load.statistics import distribution


@dataclass(frozen=True, slots=True)
class Bin:
    """A stretch of time."""

    begin: float
    end: float
    """Seconds, on the clock of the requests."""

    rate: float
    """Requests that were to be sent in it, per second."""

    latency: Distribution | None
    """Of those that were answered, in seconds; None if none was."""

    @property
    def middle(self) -> float:
        """Seconds, as its ends."""
        return (self.begin + self.end) / 2


def bins(requests: Iterable[Request], begin: float, end: float, width: float) -> list[Bin]:
    """Sort requests into stretches of a width, by the time that they were scheduled at.

    Args:
        requests: in any order.
        begin: where the first stretch begins, in seconds.
        end: nothing from here on counts; the last stretch ends here, so it is by half a width shorter or longer.
        width: seconds.
    """
    # A rest of a moment would be no stretch: the one request in it would look like a thousand a second.
    count = max(1, round((end - begin) / width))
    found: defaultdict[int, list[Request]] = defaultdict(list)
    for request in requests:
        if begin <= request.scheduled < end:
            found[min(int((request.scheduled - begin) // width), count - 1)].append(request)
    edges = [*(begin + number * width for number in range(count)), end]
    return [_bin(found[number], edges[number], edges[number + 1]) for number in range(count)]


def width(seconds: float, most: int = 60) -> float:
    """Return a round width, in seconds, with which a time falls into at most so many stretches."""
    return next(
        (w for w in (1, 2, 5, 10, 15, 30, 60) if seconds / w <= most), math.ceil(seconds / most / 60) * 60
    )


def steps_of(values: Sequence[float]) -> tuple[list[float], list[float]]:
    """Return the empirical distribution function: values in ascending order, and the share of them up to each."""
    ascending = sorted(values)
    return ascending, [(number + 1) / len(ascending) for number in range(len(ascending))]


def _bin(requests: list[Request], begin: float, end: float) -> Bin:
    latency = distribution(request.latency for request in requests if request.succeeded)
    return Bin(begin, end, len(requests) / (end - begin), latency)
