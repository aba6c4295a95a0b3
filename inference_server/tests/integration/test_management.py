"""The management port: answered while hundreds of streams are open on the main one."""

import json
import resource
import socket
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from inference_server.tests.support import ServerProcess, StartServer, eventually

STREAMS = 500
RUNNING = 64
SECONDS = 60
BODY = json.dumps({"prompt": "x", "max_tokens": 4000, "stream": True})
REQUEST = (
    "POST /chat HTTP/1.1\r\nHost: test\r\nContent-Type: application/json\r\n"
    f"Content-Length: {len(BODY)}\r\n\r\n{BODY}"
).encode()


@pytest.fixture(autouse=True)
def enough_descriptors() -> Iterator[None]:
    """The usual soft limit of 1024 leaves few to spare."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (before[1], before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


def open_stream(server: ServerProcess) -> socket.socket:
    """A request under way, of which nothing has been read yet."""
    url = server.client.base_url
    assert url.port is not None
    stream = socket.create_connection((url.host, url.port), SECONDS)
    stream.sendall(REQUEST)
    return stream


def test_probes_and_metrics_are_answered_while_500_streams_are_open(start_server: StartServer) -> None:
    server = start_server(
        "--engine", "mock", "--mock-tokens-per-second", "1",
        "--parallel", str(RUNNING), "--queue-limit", "1024",
    )  # fmt: skip
    server.wait_ready()
    with ExitStack() as clients:
        streams = [clients.enter_context(open_stream(server)) for _ in range(STREAMS)]
        for stream in streams:
            assert stream.recv(12) == b"HTTP/1.1 200"
        assert server.management.get("/health").json() == {"status": "ok"}
        assert server.management.get("/ready").json()["status"] == "ready"
        assert server.metric("codemodel_requests_running") == RUNNING
        assert server.metric("codemodel_requests_waiting") == STREAMS - RUNNING

        # Whoever leaves in the middle of a stream frees its place for the next that waits.
        for stream in streams[: STREAMS - RUNNING]:
            stream.close()
        eventually(lambda: server.metric("codemodel_requests_waiting") == 0, "nobody to wait")
        assert server.metric("codemodel_requests_running") == RUNNING
    eventually(lambda: server.metric("codemodel_requests_running") == 0, "nobody to run")
    server.terminate()
    assert server.exit_status() == 0


def test_nothing_else_is_answered_there(start_server: StartServer) -> None:
    server = start_server("--engine", "mock")
    assert server.management.get("/").status_code == 404
    assert server.management.post("/chat", json={"prompt": "x"}).status_code == 404
    assert server.management.post("/health").status_code == 405


def test_who_stalls_does_not_keep_a_probe_from_being_answered(start_server: StartServer) -> None:
    server = start_server("--engine", "mock")
    url = server.management.base_url
    assert url.port is not None
    with ExitStack() as clients:
        for _ in range(200):
            stalled = clients.enter_context(socket.create_connection((url.host, url.port), SECONDS))
            stalled.sendall(b"GET /health HTTP/1.1\r\nX-Slow: ")
        assert server.management.get("/health").is_success
