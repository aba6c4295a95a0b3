"""Clients that send a request, or take its answer, too slowly: a byte now and then would hold a thread for ever."""

import socket
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

_LOOK_SECONDS = 0.5


class Deadlines:
    """Ends what takes a client too long.

    Args:
        how: socket.SHUT_RD ends what it sends, and SHUT_RDWR what it is sent, too.
        clock: seconds, monotonic.
    """

    def __init__(self, how: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._how = how
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
        """Says that all has come or gone, or is not waited for any more; again is harmless."""
        with self._lock:
            self._due.pop(connection, None)  # type: ignore[arg-type]  # None is no key

    def look(self) -> None:
        """Ends what is overdue: whoever reads or writes there finds the end."""
        now = self._clock()
        with self._lock:
            overdue = [connection for connection, due in self._due.items() if due <= now]
            for connection in overdue:
                del self._due[connection]
                # The client may have left meanwhile.
                with suppress(OSError):
                    connection.shutdown(self._how)

    def _run(self) -> None:
        while True:
            time.sleep(_LOOK_SECONDS)
            self.look()


requests = Deadlines(socket.SHUT_RD)
answers = Deadlines(socket.SHUT_RDWR)
"""Of all connections of this process."""


def body_has_come(environ: Mapping[str, Any]) -> None:
    """Says of a request, by its WSGI environment, that its body is read."""
    requests.met(environ.get("gunicorn.socket"))
