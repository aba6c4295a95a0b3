"""The one way in which the suite waits."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

_PAUSE_SECONDS = 0.25


def until(
    look: Callable[[], T],
    good: Callable[[T], object] = bool,
    *,
    what: str,
    seconds: float,
    despite: tuple[type[Exception], ...] = (),
) -> T:
    """Look again and again until what is seen is good, and return it.

    Args:
        look: returns what is to be seen now.
        good: tells whether that is what is waited for.
        what: what is waited for, for the error message.
        seconds: give up after so long.
        despite: exceptions of ``look`` that mean "not yet".

    Raises:
        AssertionError: it did not come; the message tells what was last seen.
    """
    started = time.monotonic()
    while True:
        try:
            seen = look()
            if good(seen):
                return seen
            last = repr(seen)
        except despite as error:
            last = repr(error)
        if time.monotonic() - started > seconds:
            raise AssertionError(f"waited {seconds:.0f} s for {what}; last seen: {last}")
        time.sleep(_PAUSE_SECONDS)
