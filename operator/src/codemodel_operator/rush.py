"""New CodeModels that come one right after another: all the others wait, because they need the same API server."""

import math
from collections.abc import Callable

MOMENT = 0.1
"""Seconds after somebody began to wait, or got what he waited for: others often follow."""

_WHILE = 1.0
"""Seconds after somebody began to wait: others may still follow, when the API server is slow to take them.

Whoever waits for longer waits for something else, such as the header of a model's file.
"""

_PATIENCE = 10.0
"""Seconds for which all others wait. An autoscaler or a kubelet may be as late."""

_LONGEST = 30.0
"""Seconds after which one of the others goes first, at a time: whoever is new waits that long himself by then."""


class Rush:
    """Says at how many of the others one may look at a time.

    Args:
        clock: seconds that only grow.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._began = self._came = self._served = -math.inf

    def came(self, *, waiting: bool) -> None:
        """Take note that somebody begins to wait; `waiting`: somebody did already."""
        if not self._goes_on(waiting):
            self._began = self._clock()
        self._came = self._clock()

    def served(self) -> None:
        """Take note that somebody waits no longer."""
        self._served = self._clock()

    def momentary(self) -> bool:
        """Tell whether somebody began to wait a moment ago."""
        return self._clock() - self._came < MOMENT

    def others(self, *, waiting: bool) -> float:
        """Return at how many of the others one may look at a time; `waiting`: somebody waits or is being served."""
        if self._goes_on(waiting) and self._clock() - self._began < _PATIENCE:
            return 0
        return 1 if self._lately() else math.inf

    def overdue(self) -> bool:
        """Tell whether the others have waited for so long that one of them is to go before those who are new."""
        return self._clock() - self._began >= _LONGEST

    def _goes_on(self, waiting: bool) -> bool:
        return (waiting and self._lately()) or self._clock() - max(self._came, self._served) < MOMENT

    def _lately(self) -> bool:
        return self._clock() - self._came < _WHILE
