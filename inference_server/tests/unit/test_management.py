"""The management port's own server: many clients, slow ones, and a port that is taken."""

import socket
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from http.client import HTTPConnection
from threading import Thread
from typing import Any
from wsgiref.types import StartResponse

import pytest

from codemodel_server.listening import PortError, address, listen
from codemodel_server.management import MAX_CONNECTIONS, ManagementServer

SECONDS = 30


def application(environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
    """Says which path was asked for."""
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [environ["PATH_INFO"].encode()]


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with listen("127.0.0.1", 0) as listening:
        yield listening


@contextmanager
def serving(listener: socket.socket) -> Iterator[None]:
    server = ManagementServer(listener, application)
    thread = Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield
    server.shutdown()
    thread.join()


def get(listener: socket.socket, path: str) -> str:
    host, port = listener.getsockname()
    connection = HTTPConnection(host, port, timeout=SECONDS)
    connection.request("GET", path)
    with connection.getresponse() as response:
        text = response.read().decode()
    connection.close()
    return text


def stalled(listener: socket.socket) -> socket.socket:
    """A client that never sends the rest of its request."""
    client = socket.create_connection(listener.getsockname(), SECONDS)
    client.sendall(b"GET /slow HTTP/1.1\r\n")
    return client


def test_who_stalls_does_not_keep_others_from_being_answered(listener: socket.socket) -> None:
    with serving(listener), ExitStack() as clients:
        waiting = [clients.enter_context(stalled(listener)) for _ in range(MAX_CONNECTIONS)]
        assert get(listener, "/ready") == "/ready"
        # It made room.
        assert waiting[0].recv(1) == b""


def test_who_came_before_it_serves_is_answered_then(listener: socket.socket) -> None:
    with socket.create_connection(listener.getsockname(), SECONDS) as client:
        client.sendall(b"GET /early HTTP/1.0\r\n\r\n")
        with serving(listener):
            assert client.makefile("rb").read().endswith(b"/early")


def test_a_port_that_is_taken_is_named(listener: socket.socket) -> None:
    port = listener.getsockname()[1]
    with pytest.raises(PortError, match=rf"127\.0\.0\.1 port {port}: .* --management-port"):
        listen("127.0.0.1", port)


def test_an_address_of_another_machine_is_named() -> None:
    with pytest.raises(PortError, match=r"192\.0\.2\.1 port 0"):
        listen("192.0.2.1", 0)


def test_its_address_is_a_url(listener: socket.socket) -> None:
    assert address(listener) == f"http://127.0.0.1:{listener.getsockname()[1]}"
