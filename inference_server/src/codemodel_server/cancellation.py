"""How a request is told that nobody waits for its answer any more."""

import threading
from collections.abc import Callable


class Cancellation:
    """Set once, by whoever notices that the client has left or that the server has to end.

    Any thread may cancel, ask and wait. A callback runs on the thread that cancels, so it has to be quick.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._set = threading.Event()
        self._callbacks: list[Callable[[], None]] = []

    @property
    def cancelled(self) -> bool:
        """Whether it was cancelled."""
        return self._set.is_set()

    def cancel(self) -> None:
        """Cancels; again is harmless."""
        with self._lock:
            if self._set.is_set():
                return
            self._set.set()
            callbacks, self._callbacks = self._callbacks, []
        for callback in callbacks:
            callback()

    def wait(self, seconds: float) -> bool:
        """Waits so long at most; returns whether it was cancelled."""
        return self._set.wait(seconds)

    def subscribe(self, callback: Callable[[], None]) -> None:
        """Calls back once it is cancelled; at once if it was already."""
        with self._lock:
            if not self._set.is_set():
                self._callbacks.append(callback)
                return
        callback()
