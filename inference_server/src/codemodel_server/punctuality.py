"""Clients that send their requests too slowly: a byte now and then would hold a thread for ever."""

import socket
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

_LOOK_SECONDS = 0.5


class Deadlines:
    """Ends what a client sends when it takes too long; what it is sent is not affected.

    Args:
        clock: seconds, monotonic.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._due: dict[socket.socket, float] = {}
        self._started = False

    def begin(self, connection: socket.socket, seconds: float) -> None:
        """Gives a client so long from now on, whatever it had before."""
        with self._lock:
            self._due[connection] = self._clock() + seconds
            if not self._started:
                self._started = True
                threading.Thread(target=self._run, name="deadlines", daemon=True).start()

    def met(self, connection: socket.socket | None) -> None:
        """Says that all has come, or is not waited for any more; again is harmless."""
        with self._lock:
            self._due.pop(connection, None)  # type: ignore[arg-type]  # None is no key

    def look(self) -> None:
        """Ends what is overdue: whoever reads there finds the end."""
        now = self._clock()
        with self._lock:
            overdue = [connection for connection, due in self._due.items() if due <= now]
            for connection in overdue:
                del self._due[connection]
                # The client may have left meanwhile.
                with suppress(OSError):
                    connection.shutdown(socket.SHUT_RD)

    def _run(self) -> None:
        while True:
            time.sleep(_LOOK_SECONDS)
            self.look()


deadlines = Deadlines()
"""Of all connections of this process."""


def body_has_come(environ: Mapping[str, Any]) -> None:
    """Says of a request, by its WSGI environment, that its body is read."""
    deadlines.met(environ.get("gunicorn.socket"))
