"""When open-loop requests are sent. Pure: the times are known before the first one is."""

from collections.abc import Iterator
from random import Random


def constant(rate: float, seconds: float) -> Iterator[float]:
    """Yield times at equal distances, in seconds from the phase's begin: 0, 1/rate, 2/rate …, all below ``seconds``.

    Args:
        rate: requests per second.
        seconds: length of the phase.
    """
    number = 0
    while (at := number / rate) < seconds:
        yield at
        number += 1


def poisson(rate: float, seconds: float, random: Random) -> Iterator[float]:
    """Yield the times of a Poisson process: distances are exponential with mean 1/rate, all below ``seconds``.

    Args:
        rate: requests per second, on average.
        seconds: length of the phase.
        random: where chance comes from.
    """
    at = random.expovariate(rate)
    while at < seconds:
        yield at
        at += random.expovariate(rate)
