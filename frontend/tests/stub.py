"""A server that does what a test says: slow, broken, refusing and malicious answers, one script a request."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from queue import Queue
from typing import Any

from codemodel_server.api.web import content_security_policy

PAGE = Path(__file__).parents[1] / "index.html"
WAIT_SECONDS = 20.0
REPLICA = {
    "replica": "pod-1",
    "status": "ready",
    "running": 1,
    "waiting": 2,
    "tokens_per_second": 12.5,
    "time_to_first_token_seconds": 0.25,
    "first_tokens": 4,
}


def live(ready: int, desired: int) -> dict[str, Any]:
    """What /live says of so many replicas."""
    total = {**REPLICA, "ready": ready, "desired": desired}
    return {**REPLICA, "total": total, "replicas": [REPLICA] * desired}


class Exchange:
    """A POST /chat, to be answered step by step."""

    def __init__(self, handler: BaseHTTPRequestHandler, body: dict[str, Any]) -> None:
        self._handler = handler
        self.body = body
        self.key = handler.headers.get("Authorization")

    def refuse(self, status: int, message: str, headers: dict[str, str] | None = None, **error: Any) -> None:
        """An error as the server sends it."""
        data = json.dumps({"error": {"message": message, "type": "x", "field": None, **error}}).encode()
        _send(self._handler, status, "application/json", data, headers or {})

    def begin(self) -> None:
        """The status and headers of a stream."""
        self._handler.send_response(200)
        self._handler.send_header("Content-Type", "text/event-stream")
        self._handler.send_header("Transfer-Encoding", "chunked")
        self._handler.end_headers()

    def raw(self, data: bytes) -> None:
        """Bytes of a stream, as they are."""
        self._handler.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))
        self._handler.wfile.flush()

    def event(self, **fields: Any) -> None:
        """One event of a stream."""
        self.raw(f"data: {json.dumps(fields)}\n\n".encode())

    def end(self, **fields: Any) -> None:
        """The last event, and the end of the stream."""
        usage = {"prompt_tokens": 5, "completion_tokens": 7}
        times = {"latency_seconds": 1.5, "time_to_first_token_seconds": 0.5}
        identity = {"model": "stub", "engine": "mock", "replica": "pod-1", "finish_reason": "stop"}
        self.event(done=True, **{**identity, "usage": usage, **times, **fields})
        self.close()

    def close(self) -> None:
        """The end of the stream, as HTTP says it."""
        self._handler.wfile.write(b"0\r\n\r\n")

    def tear(self) -> None:
        """The end of the connection in the middle of the stream."""
        self._handler.wfile.write(b"ff\r\nhalf")
        self._handler.wfile.flush()
        self._handler.close_connection = True

    def answer(self, *pieces: str, **fields: Any) -> None:
        """A whole stream."""
        self.begin()
        for piece in pieces:
            self.event(token=piece)
        self.end(**fields)


Script = Callable[[Exchange], None]


class Stub:
    """The server; `chats` answers requests one after the other, `asked` has what they were.

    /info is for those who send `info_key`, if there is one; scripts themselves ask for a key at /chat.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self.chats: Queue[Script] = Queue()
        self.asked: list[Exchange] = []
        self.live = live(1, 1)
        self.looks = 0
        self.info_key: str | None = None
        self.context_length = 4096
        self.paths: list[str] = []

    def script(self, *chats: Script) -> None:
        """Sets what the next requests get."""
        for chat in chats:
            self.chats.put(chat)


class Gate:
    """Holds a script until the test opens it."""

    def __init__(self) -> None:
        self._opened = threading.Event()

    def open(self) -> None:
        self._opened.set()

    def wait(self) -> None:
        assert self._opened.wait(WAIT_SECONDS), "the test never opened the gate"


@contextmanager
def running_stub() -> Iterator[Stub]:
    """A stub on a free port."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            stub.paths.append(self.path)
            if self.path == "/":
                html = PAGE.read_text(encoding="utf-8")
                policy = {"Content-Security-Policy": content_security_policy(html)}
                _send(self, 200, "text/html; charset=utf-8", html.encode(), policy)
                return
            if self.path == "/info" and stub.info_key not in {None, self.headers.get("Authorization")}:
                Exchange(self, {}).refuse(401, "send an API key")
                return
            stub.looks += self.path == "/live"
            identity = {"model": "stub", "engine": "mock", "replica": "pod-1"}
            answers: dict[str, Any] = {
                "/ready": {"status": "ready", "model": "stub", "engine": "mock"},
                "/info": {**identity, "context_length": stub.context_length},
                "/live": stub.live,
            }
            _send(self, 200, "application/json", json.dumps(answers[self.path]).encode(), {})

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            exchange = Exchange(self, body)
            stub.asked.append(exchange)
            try:
                stub.chats.get(timeout=WAIT_SECONDS)(exchange)
            except (BrokenPipeError, ConnectionResetError):
                self.close_connection = True

        def log_message(self, *_arguments: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.block_on_close = False
    stub = Stub(f"http://127.0.0.1:{server.server_port}/")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield stub
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _send(
    handler: BaseHTTPRequestHandler, status: int, kind: str, data: bytes, headers: dict[str, str]
) -> None:
    handler.send_response(status)
    handler.send_header("Content-Type", kind)
    handler.send_header("Content-Length", str(len(data)))
    for name, value in headers.items():
        handler.send_header(name, value)
    handler.end_headers()
    handler.wfile.write(data)
