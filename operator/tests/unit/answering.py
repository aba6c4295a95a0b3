"""A server that stands for the API server: it answers in turn, and remembers what it was asked."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from aiohttp import web


@dataclass(frozen=True)
class Reply:
    """What is answered; no status: the connection is reset."""

    status: int | None
    body: str = "{}"


def failure(status: int, message: str = "the reason", **more: Any) -> Reply:
    """As the API server fails."""
    return Reply(status, json.dumps({"kind": "Status", "message": message, **more}))


@dataclass(frozen=True)
class Asked:
    """A request."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: Any
    """Plain data; None where there was none."""


class Answering:
    """Answers the next request with the next reply."""

    def __init__(self, *replies: Reply) -> None:
        self._replies = list(replies)
        self.asked: list[Asked] = []
        self.url = ""

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[None]:
        """Answer at `url`."""
        runner = web.ServerRunner(web.Server(self._answer, access_log=None), shutdown_timeout=0.1)
        await runner.setup()
        try:
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            self.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
            yield
        finally:
            await runner.cleanup()

    async def _answer(self, request: web.BaseRequest) -> web.Response:
        text = await request.text()
        body = json.loads(text) if text else None
        asked = Asked(request.method, request.path, dict(request.query), dict(request.headers), body)
        self.asked.append(asked)
        reply = self._replies.pop(0)
        if reply.status is None:
            assert request.transport
            request.transport.abort()
            return web.Response()
        return web.Response(status=reply.status, text=reply.body)
