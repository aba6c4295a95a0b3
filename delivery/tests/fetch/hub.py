"""A model hub that misbehaves as told."""

import hashlib
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

Handler = BaseHTTPRequestHandler
MODEL = b"GGUF" + bytes(range(256)) * 2048
_SLICE = 1 << 14
SHA256 = hashlib.sha256(MODEL).hexdigest()


class Hub:
    """Serves one file as a sequence of behaviours, one a request; the last one goes on."""

    def __init__(self, *behaviours: Callable[["Hub", Handler], None]) -> None:
        self.content = MODEL
        self.etag = '"v1"'
        self.requests: list[dict[str, str]] = []
        self.sent = 0
        self._behaviours = list(behaviours)
        self._lock = threading.Lock()
        self.url = ""

    def serve(self, handler: Handler) -> None:
        with self._lock:
            self.requests.append({key.lower(): value for key, value in handler.headers.items()})
            behaviour = self._behaviours[min(len(self.requests), len(self._behaviours)) - 1]
        behaviour(self, handler)

    def send(self, handler: Handler, status: int, body: bytes, **headers: str) -> None:
        handler.send_response(status)
        headers = {"Content_Length": str(len(body)), "ETag": self.etag, **headers}
        for key, value in headers.items():
            if value:
                handler.send_header(key.replace("_", "-"), value)
        handler.end_headers()
        handler.wfile.write(body)
        self.sent += len(body)


def whole(hub: Hub, handler: Handler) -> None:
    """The file, or the part asked for if it is the same version."""
    start = _start(hub, handler)
    if start:
        total = len(hub.content)
        content_range = f"bytes {start}-{total - 1}/{total}"
        hub.send(handler, 206, hub.content[start:], Content_Range=content_range)
    else:
        hub.send(handler, 200, hub.content)


def parts(hub: Hub, handler: Handler) -> None:
    """The part between the two bytes that were asked for."""
    start, end = asked(handler)
    part(hub, handler, start, hub.content[start : end + 1])


def asked(handler: Handler) -> tuple[int, int]:
    """The first and the last byte that the client wants."""
    start, _, end = handler.headers["Range"].removeprefix("bytes=").partition("-")
    return int(start), int(end)


def part(hub: Hub, handler: Handler, start: int, body: bytes) -> None:
    """A part of the file, as such."""
    content_range = f"bytes {start}-{start + len(body) - 1}/{len(hub.content)}"
    hub.send(handler, 206, body, Content_Range=content_range)


def without_range(hub: Hub, handler: Handler) -> None:
    """The file from its beginning, whatever is asked."""
    hub.send(handler, 200, hub.content)


def cut_after(size: int) -> Callable[[Hub, Handler], None]:
    """So many bytes from where the client wants to go on, then nothing."""

    def behave(hub: Hub, handler: Handler) -> None:
        start = _start(hub, handler)
        total = len(hub.content)
        status, content_range = (206, f"bytes {start}-{total - 1}/{total}") if start else (200, "")
        body = hub.content[start : start + size]
        hub.send(handler, status, body, Content_Length=str(total - start), Content_Range=content_range)
        handler.close_connection = True

    return behave


def hold_at(offset: int) -> Callable[[Hub, Handler], None]:
    """The file up to this offset, then nothing for as long as the client stays."""

    def behave(hub: Hub, handler: Handler) -> None:
        cut_after(max(0, offset - _start(hub, handler)))(hub, handler)
        handler.rfile.read(1)

    return behave


def hold_after(size: int, then: Callable[[], object]) -> Callable[[Hub, Handler], None]:
    """So many bytes from where the client wants to go on, as fast as it reads; then nothing as long as it stays."""

    def behave(hub: Hub, handler: Handler) -> None:
        handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SLICE)
        start = _start(hub, handler)
        cut_after(0)(hub, handler)
        for offset in range(start, start + size, _SLICE):
            part = hub.content[offset : min(offset + _SLICE, start + size)]
            handler.wfile.write(part)
            hub.sent += len(part)
        then()
        handler.rfile.read(1)

    return behave


def wrong_range(hub: Hub, handler: Handler) -> None:
    """A part that begins elsewhere."""
    total = len(hub.content)
    hub.send(handler, 206, hub.content[7:], Content_Range=f"bytes 7-{total - 1}/{total}")


def status(code: int, body: bytes = b"", **headers: str) -> Callable[[Hub, Handler], None]:
    """Always this answer."""
    return lambda hub, handler: hub.send(handler, code, body, **headers)


def changed(hub: Hub, handler: Handler) -> None:
    """Another version of the file from now on."""
    hub.content = b"GGUF" + bytes(reversed(MODEL[4:]))
    hub.etag = '"v2"'
    whole(hub, handler)


def _start(hub: Hub, handler: Handler) -> int:
    wanted = handler.headers.get("Range")
    if wanted is None or handler.headers.get("If-Range") != hub.etag:
        return 0
    return int(wanted.removeprefix("bytes=").removesuffix("-"))


@contextmanager
def running(hub: Hub, host: str = "127.0.0.1") -> Iterator[Hub]:
    """Serves the hub at a free port; `hub.url` is the model's."""

    class Request(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def handle(self) -> None:
            with suppress(ConnectionResetError):
                super().handle()

        def do_GET(self) -> None:
            try:
                hub.serve(self)
            except (BrokenPipeError, ConnectionResetError):
                self.close_connection = True

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            """Nothing: pytest shows enough."""

    server = ThreadingHTTPServer((host, 0), Request)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        hub.url = f"http://{host}:{server.server_address[1]}/model.gguf"
        yield hub
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
