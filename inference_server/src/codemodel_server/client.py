"""Notices clients that leave: one thread watches the sockets of all requests under way."""

import select
import threading
from collections.abc import Callable, Mapping
from typing import Any

from codemodel_server.cancellation import Cancellation

_LEFT = select.EPOLLRDHUP | select.EPOLLHUP | select.EPOLLERR


class Departures:
    """Cancels what a client asked for as soon as it closes its connection."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._epoll: select.epoll | None = None
        self._watched: dict[int, Cancellation] = {}

    def watch(self, environ: Mapping[str, Any], cancellation: Cancellation) -> Callable[[], None]:
        """Watches a request's client.

        Args:
            environ: the request's WSGI environment; without gunicorn's socket in it the client counts as there.
            cancellation: cancelled when the client leaves.

        Returns:
            A function that ends the watch, to be called before the connection serves another request; again is
            harmless.
        """
        socket = environ.get("gunicorn.socket")
        if socket is None:
            return lambda: None
        descriptor: int = socket.fileno()
        with self._lock:
            epoll = self._start()
            if descriptor in self._watched:
                # An earlier connection of this number, whose request ended without saying so.
                self._forget(epoll, descriptor)
            self._watched[descriptor] = cancellation
            epoll.register(descriptor, _LEFT)

        def stop() -> None:
            with self._lock:
                # The number may belong to another request's connection by now.
                if self._watched.get(descriptor) is cancellation:
                    self._forget(epoll, descriptor)

        return stop

    def _start(self) -> select.epoll:
        if self._epoll is None:
            self._epoll = select.epoll()
            threading.Thread(target=self._run, args=(self._epoll,), name="departures", daemon=True).start()
        return self._epoll

    def _run(self, epoll: select.epoll) -> None:
        while True:
            for descriptor, _ in epoll.poll():
                with self._lock:
                    cancellation = self._watched.get(descriptor)
                    # Meanwhile the number may have become another connection's, whose client is there.
                    if cancellation is not None and not _has_left(descriptor):
                        cancellation = None
                    if cancellation is not None:
                        self._forget(epoll, descriptor)
                if cancellation is not None:
                    cancellation.cancel()

    def _forget(self, epoll: select.epoll, descriptor: int) -> None:
        del self._watched[descriptor]
        try:
            epoll.unregister(descriptor)
        except OSError:
            # Closed meanwhile: the kernel has forgotten it itself.
            return


def _has_left(descriptor: int) -> bool:
    poll = select.poll()
    poll.register(descriptor, select.POLLRDHUP)
    return bool(poll.poll(0))


watch = Departures().watch
