"""/health, /ready and /metrics on a port and threads of their own.

Whatever streams, waits or stalls on the main port, a probe and a scrape are answered: nothing is shared with it but the
process.
"""

import socket
import sys
import threading
from collections.abc import Iterable
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer
from wsgiref.types import WSGIApplication

from codemodel_server.logs import server_log

MAX_CONNECTIONS = 64
"""Connections at a time. The oldest is closed for one more: a probe takes milliseconds, so that one has stalled."""

# For each piece of a request to come and of an answer to go.
_STALL_SECONDS = 5.0


def serve(listener: socket.socket, app: WSGIApplication) -> None:
    """Answers until the process ends, on threads that do not keep it from ending."""
    server = ManagementServer(listener, app)
    threading.Thread(target=server.serve_forever, name="management", daemon=True).start()


class ManagementServer(WSGIServer):
    """One thread for each connection, one request on each, and no more connections than MAX_CONNECTIONS."""

    def __init__(self, listener: socket.socket, app: WSGIApplication) -> None:
        super().__init__(listener.getsockname()[:2], _Handler, bind_and_activate=False)
        self.socket.close()
        self.socket = listener
        self.server_name, self.server_port = listener.getsockname()[:2]
        self.setup_environ()
        self.set_app(app)
        self._lock = threading.Lock()
        # In the order in which they came.
        self._open: dict[socket.socket, None] = {}

    def process_request(self, request: Any, client_address: Any) -> None:
        """Called for each connection."""
        with self._lock:
            oldest = next(iter(self._open)) if len(self._open) >= MAX_CONNECTIONS else None
            if oldest is not None:
                del self._open[oldest]
                _break(oldest)
            self._open[request] = None
        arguments = (request, client_address)
        threading.Thread(target=self._answer, args=arguments, name="management", daemon=True).start()

    def handle_error(self, _request: Any, _client_address: Any) -> None:
        """Called for what went wrong with a connection; that a client stalls or leaves is no fault of the server."""
        if not isinstance(sys.exc_info()[1], OSError):
            server_log().exception("the management port could not answer")

    def _answer(self, request: socket.socket, client_address: Any) -> None:
        try:
            self.finish_request(request, client_address)
        except Exception:
            self.handle_error(request, client_address)
        finally:
            with self._lock:
                self._open.pop(request, None)
            self.shutdown_request(request)


class _Handler(WSGIRequestHandler):
    timeout = _STALL_SECONDS

    def log_message(self, format: str, *args: Iterable[Any]) -> None:  # noqa: A002 - the standard library's name
        """Nothing: probes come every few seconds."""


def _break(connection: socket.socket) -> None:
    """Ends a connection that another thread waits on; that thread closes it."""
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        # The client was faster.
        return
