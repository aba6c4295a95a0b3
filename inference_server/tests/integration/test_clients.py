"""Clients that stall, dawdle or leave hold neither the engine nor a thread."""

import json
import socket
from collections.abc import Iterator

import pytest

from inference_server.tests.support import ServerProcess, eventually

RUNNING, REQUESTS = "codemodel_requests_running", "codemodel_requests_total"
IMPATIENT = """
from codemodel_server import cli, server
from codemodel_server.engines import mock_vocabulary
server.STALL_SECONDS = 1
server.HEADERS_SECONDS = server.BODY_SECONDS = 2
mock_vocabulary.WORDS = (b"word " * 200,)
cli.main()
"""


@pytest.fixture(scope="module")
def impatient_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A server that gives a stalled client one second; its answers are long, and come at once."""
    arguments = ("--engine", "mock", "--mock-tokens-per-second", "0", "--context-length", "1000000")
    server = ServerProcess(tmp_path_factory.mktemp("impatient"), arguments, {}, ("-c", IMPATIENT))
    server.wait_ready()
    yield server
    server.close()


def ask(server: ServerProcess, body: bytes, length: int) -> socket.socket:
    """Sends a request and leaves it at that."""
    head = f"POST /chat HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n"
    return connect(server, head.encode() + body)


def connect(server: ServerProcess, first: bytes) -> socket.socket:
    client = socket.socket()
    # Small, so that what is not read is soon noticed.
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    client.settimeout(30)
    client.connect((server.client.base_url.host, server.client.base_url.port))
    client.sendall(first)
    return client


def test_whoever_does_not_read_frees_the_engine(impatient_server: ServerProcess) -> None:
    body = json.dumps({"prompt": "x", "max_tokens": 900_000, "stream": True}).encode()
    with ask(impatient_server, body, len(body)):
        eventually(lambda: impatient_server.metric(RUNNING) == 1, "generating")
        eventually(lambda: impatient_server.metric(RUNNING) == 0, "the engine free")
    assert impatient_server.chat(prompt="x", max_tokens=1).is_success
    eventually(lambda: "a client stalled" in impatient_server.log(), "a line in the log")
    assert "Traceback" not in impatient_server.log()


def test_a_body_that_does_not_come_is_not_waited_for(impatient_server: ServerProcess) -> None:
    with ask(impatient_server, b'{"prompt": ', 100) as client:
        answer = b""
        while b"request_timeout" not in answer:
            piece = client.recv(10_000)
            assert piece, answer
            answer += piece
    assert answer.startswith(b"HTTP/1.1 408 ")


def test_a_head_that_does_not_come_is_not_waited_for(impatient_server: ServerProcess) -> None:
    with socket.create_connection(
        (impatient_server.client.base_url.host, impatient_server.client.base_url.port), timeout=30
    ) as client:
        client.sendall(b"GET /health HTTP/1.1\r\nHost")
        assert client.recv(1) == b""


def test_an_answer_that_nobody_waited_for_is_counted_as_such(impatient_server: ServerProcess) -> None:
    body = json.dumps({"prompt": "x", "max_tokens": 900_000}).encode()
    with ask(impatient_server, body, len(body)):
        eventually(lambda: impatient_server.metric(RUNNING) == 1, "generating")
    eventually(lambda: impatient_server.metric(RUNNING) == 0, "the engine free")
    counted = 'codemodel_requests_total{route="/chat",status="499"} 1.0'
    eventually(lambda: counted in impatient_server.client.get("/metrics").text, "counted")


@pytest.mark.parametrize("begun", [b"GET /health HTTP/1.1\r\nX-A: ", None], ids=["headers", "body"])
def test_a_byte_now_and_then_is_not_enough(impatient_server: ServerProcess, begun: bytes | None) -> None:
    with ask(impatient_server, b"", 100_000) if begun is None else connect(impatient_server, begun) as client:
        client.settimeout(0.5)
        answer = b""
        for _ in range(40):
            try:
                client.sendall(b"x")
                piece = client.recv(10_000)
            except TimeoutError:
                continue
            except OSError:
                break
            answer += piece
            if not piece:
                break
        else:
            pytest.fail("the connection is held")
    assert begun is not None or answer.startswith(b"HTTP/1.1 408 ")


@pytest.mark.parametrize(
    "headers",
    [
        "Transfer-Encoding: chunked\r\n\r\nzz\r\nabc\r\n0\r\n\r\n",
        "Transfer-Encoding: chunked\r\n\r\n-1\r\nabc\r\n0\r\n\r\n",
        "Content-Length: -1\r\n\r\n",
        "Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
        "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n{}",
    ],
    ids=["no size", "negative size", "negative length", "two lengths", "length and chunks"],
)
def test_a_body_of_no_certain_length_is_refused(impatient_server: ServerProcess, headers: str) -> None:
    request = f"POST /chat HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n{headers}"
    with connect(impatient_server, request.encode()) as client:
        assert client.recv(100).startswith(b"HTTP/1.1 400 ")
