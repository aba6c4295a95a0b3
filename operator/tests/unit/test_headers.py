"""Reading headers over HTTP from a real server."""

import asyncio
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from codemodel_delivery.gguf.errors import NotAModel
from codemodel_operator.headers import HeaderReader
from codemodel_operator.resources.download import Downloads
from models.sample_model.build import build
from models.sample_model.weights import Shape

INSIDE = Downloads(allow_private=True)


class Hub(ThreadingHTTPServer):
    """Serves one content under every path, and counts the requests."""

    content = b""
    requests = 0

    @property
    def source(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/m.gguf"


class Handler(BaseHTTPRequestHandler):
    server: Hub

    def do_GET(self) -> None:
        self.server.requests += 1
        content = self.server.content
        first, last = self.headers["Range"].removeprefix("bytes=").split("-")
        part = content[int(first) : int(last) + 1]
        self.send_response(206)
        self.send_header("Content-Range", f"bytes {first}-{int(first) + len(part) - 1}/{len(content)}")
        self.send_header("Content-Length", str(len(part)))
        self.end_headers()
        self.wfile.write(part)

    def log_message(self, *_: object) -> None:
        """Keeps quiet."""


@pytest.fixture
def hub() -> Iterator[Hub]:
    with Hub(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        yield server
        server.shutdown()


def test_a_header_is_read_once_however_many_ask(hub: Hub, tmp_path: Path) -> None:
    build(tmp_path / "m.gguf", Shape(layers=1))
    hub.content = (tmp_path / "m.gguf").read_bytes()

    async def ask() -> list[object]:
        reader = HeaderReader(INSIDE)
        first = await asyncio.gather(*(reader.read(hub.source) for _ in range(20)))
        return [*first, await reader.read(hub.source)]

    headers = asyncio.run(ask())
    assert {getattr(header, "architecture", None) for header in headers} == {"llama"}
    assert all(header is headers[0] for header in headers)
    assert hub.requests <= 5


def test_it_is_read_again_after_a_while(hub: Hub) -> None:
    hub.content = b"<html>" * 100
    now = 0.0
    reader = HeaderReader(INSIDE, clock=lambda: now)

    async def ask() -> None:
        nonlocal now
        for later in (0, 1, 1000):
            now += later
            with pytest.raises(NotAModel):
                await reader.read(hub.source)

    asyncio.run(ask())
    assert hub.requests == 2


def test_an_address_inside_is_not_asked_unless_the_administrator_allows_it(hub: Hub) -> None:
    assert asyncio.run(HeaderReader(Downloads()).read(hub.source)) is None
    assert hub.requests == 0


def test_a_server_that_is_away_is_no_error() -> None:
    assert asyncio.run(HeaderReader(INSIDE).read("http://127.0.0.1:9/m.gguf")) is None
