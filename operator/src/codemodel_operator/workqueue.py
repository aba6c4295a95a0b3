"""A queue of keys for level-triggered reconciling: coalescing, with backoff, delays and an age to watch."""

import asyncio
import contextlib
import random
from collections.abc import Callable
from typing import Protocol

from .rush import MOMENT, Rush

Key = tuple[str, str]
"""Namespace and name of a CodeModel."""


class Timer(Protocol):
    """A pending call that can be called off."""

    def cancel(self) -> None:
        """Call it off."""


class WorkQueue:
    """Holds each key at most once and never hands it to two workers at a time.

    A key that is added while a worker has it comes back when that worker is done, so no event is lost. Lives
    in one event loop; not for threads.
    """

    def __init__(
        self,
        *,
        clock: Callable[[], float],
        call_later: Callable[[float, Callable[[], None]], Timer],
        rng: random.Random,
        base_delay: float = 0.2,
        max_delay: float = 60.0,
    ) -> None:
        self._clock = clock
        self._call_later = call_later
        self._rng = rng
        self._base_delay = base_delay
        self._max_delay = max_delay
        self._urgent: dict[Key, None] = {}  # a set that keeps its order
        self._waiting: dict[Key, None] = {}  # likewise
        self._active: dict[Key, float] = {}  # key: since when
        self._calm: set[Key] = set()  # those of them that were not urgent
        self._again: dict[Key, bool] = {}  # key: whether it is urgent
        self._timers: dict[Key, tuple[float, Timer]] = {}  # key: when due
        self._failures: dict[Key, int] = {}
        self._moved = clock()
        self._rush = Rush(clock)
        self._nudge: Timer | None = None
        self._wake = asyncio.Event()
        self._idle = asyncio.Event()
        self._closed = False

    def add(self, key: Key, *, urgent: bool = False) -> None:
        """Ask for a look at this key, soon; before all that are not urgent, if somebody waits for it."""
        if key in self._active:
            self._again[key] = urgent or self._again.get(key, False)
            return
        if not self.depth():
            self._moved = self._clock()
        if urgent:
            self._rush.came(waiting=self._somebody_waits())
            self._waiting.pop(key, None)
            self._urgent[key] = None
        elif key not in self._urgent:
            self._waiting[key] = None
        self._wake.set()

    def add_after(self, key: Key, delay: float) -> None:
        """Ask for a look after so many seconds; the earliest of several such requests counts."""
        due = self._clock() + delay
        if key in self._timers:
            earlier, timer = self._timers[key]
            if earlier <= due:
                return
            timer.cancel()
        self._timers[key] = (due, self._call_later(delay, lambda: self._fire(key)))

    async def get(self) -> Key:
        """Wait for a key and take it; the caller must then call `done`, `retry` or `forget`.

        While urgent ones come, the others are held back (`Rush`).
        """
        while self._closed or not (first := self._first()):
            self._wake.clear()
            await self._wake.wait()
        key = next(iter(first))
        if first is self._waiting:
            self._calm.add(key)
        del first[key]
        self._active[key] = self._moved = self._clock()
        # What the timer would ask for is about to happen.
        self._cancel_timer(key)
        return key

    def done(self, key: Key, next_after: float) -> None:
        """Give back a key that was reconciled; look again after about so many seconds (±20 %)."""
        self._failures.pop(key, None)
        self.add_after(key, next_after * self._rng.uniform(0.8, 1.2))
        self._release(key)

    def retry(self, key: Key) -> float:
        """Give back a key that failed; return the seconds until it is tried again, longer each time."""
        failures = self._failures[key] = self._failures.get(key, 0) + 1
        delay = min(self._max_delay, self._base_delay * 2.0 ** min(failures - 1, 32))
        delay *= self._rng.uniform(0.5, 1.0)
        # An event that came meanwhile does not shorten the pause: it may be our own failing write.
        self._again.pop(key, None)
        self.add_after(key, delay)
        self._release(key)
        return delay

    def forget(self, key: Key) -> None:
        """Give back a key whose object is gone."""
        self._failures.pop(key, None)
        self._cancel_timer(key)
        self._release(key)

    def urgent(self) -> bool:
        """Tell whether somebody waits."""
        return bool(self._urgent)

    def pressed(self) -> bool:
        """Tell whether somebody waits, or began to a moment ago: others often follow."""
        return self.urgent() or self._rush.momentary()

    def busy(self, key: Key) -> bool:
        """Tell whether a worker has this key."""
        return key in self._active

    def depth(self) -> int:
        """Return how many keys wait."""
        return len(self._urgent) + len(self._waiting)

    def stuck_seconds(self) -> float:
        """Return for how long one key has been worked on, or none has been taken although some wait.

        A long queue that moves is not stuck: 0 is about what it gives, and what an idle one gives.
        """
        since = [*self._active.values(), *([self._moved] if self.depth() else [])]
        return self._clock() - min(since) if since else 0.0

    async def drain(self, seconds: float) -> None:
        """Hand out no more keys; wait, at most so long, until all that are taken have been given back."""
        self._closed = True
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while self._active:
                    self._idle.clear()
                    await self._idle.wait()

    def _first(self) -> dict[Key, None]:
        """Return those of whom one is to be taken now; empty when none is."""
        if self._urgent and not (self._waiting and not self._calm and self._rush.overdue()):
            return self._urgent
        if self._waiting and len(self._calm) >= self._rush.others(waiting=self._somebody_waits()):
            # Time alone may change that.
            self._nudge = self._nudge or self._call_later(MOMENT, self._look_again)
            return {}
        return self._waiting

    def _somebody_waits(self) -> bool:
        return self.urgent() or len(self._active) > len(self._calm)

    def _look_again(self) -> None:
        self._nudge = None
        self._wake.set()

    def _fire(self, key: Key) -> None:
        self._timers.pop(key, None)
        self.add(key)

    def _cancel_timer(self, key: Key) -> None:
        if key in self._timers:
            self._timers.pop(key)[1].cancel()

    def _release(self, key: Key) -> None:
        self._active.pop(key, None)
        if key in self._calm:
            self._calm.remove(key)
        else:
            self._rush.served()
        self._idle.set()
        self._wake.set()
        if key in self._again:
            self.add(key, urgent=self._again.pop(key))
