"""A local server of ``POST /chat`` whose behaviour a test decides, and which writes down what happened when."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

REPLICA = "replica-a"


@dataclass
class Seen:
    """A request as the server saw it; times on the monotonic clock."""

    number: int
    body: dict[str, Any]
    headers: dict[str, str]
    arrived: float
    written: list[float] = field(default_factory=list)
    """When each event was written, the last one included."""


Behaviour = Callable[["Server", web.Request, Seen], Awaitable[web.StreamResponse]]


class Server:
    """Runs in the test's event loop; ``url`` is its base URL."""

    def __init__(self, behaviour: Behaviour) -> None:
        self.behaviour = behaviour
        self.seen: list[Seen] = []
        self.under_way = self.most_under_way = 0
        self.arrival = asyncio.Condition()
        self.url = ""
        self.live: list[dict[str, Any]] | None = [
            {
                "replica": REPLICA,
                "status": "ready",
                "running": 1,
                "waiting": 2,
                "memory_bytes": 1000,
                "cpu_seconds": 12.5,
            },
            {
                "replica": "10.0.0.9",
                "status": "unreachable",
                "running": 0,
                "waiting": 0,
                "memory_bytes": None,
            },
        ]

    async def count(self, number: int) -> None:
        """Wait until so many requests have arrived."""
        async with self.arrival:
            await self.arrival.wait_for(lambda: len(self.seen) >= number)

    async def _chat(self, request: web.Request) -> web.StreamResponse:
        seen = Seen(len(self.seen), await request.json(), dict(request.headers), time.monotonic())
        async with self.arrival:
            self.seen.append(seen)
            self.arrival.notify_all()
        self.under_way += 1
        self.most_under_way = max(self.most_under_way, self.under_way)
        try:
            return await self.behaviour(self, request, seen)
        finally:
            self.under_way -= 1

    async def _live(self, _: web.Request) -> web.Response:
        if self.live is None:
            raise web.HTTPNotFound
        return web.json_response({"replicas": self.live})

    async def _info(self, _: web.Request) -> web.Response:
        return web.json_response(
            {"engine": "test", "model": "m", "version": "1", "context_length": 64, "replica": REPLICA}
        )

    @asynccontextmanager
    async def running(self) -> AsyncIterator["Server"]:
        app = web.Application()
        app.router.add_post("/chat", self._chat)
        app.router.add_get("/live", self._live)
        app.router.add_get("/info", self._info)
        # As our server: a client that leaves ends its request.
        runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        try:
            yield self
        finally:
            await runner.cleanup()


def last(tokens: int) -> dict[str, Any]:
    """The event that ends a stream."""
    return {"done": True, "replica": REPLICA, "usage": {"completion_tokens": tokens}}


async def stream(
    request: web.Request, seen: Seen, events: list[tuple[float, dict[str, Any]]]
) -> web.StreamResponse:
    """Write events, each after so many seconds."""
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
    await response.prepare(request)
    for seconds, event in events:
        await asyncio.sleep(seconds)
        seen.written.append(time.monotonic())
        await response.write(f"data: {json.dumps(event)}\n\n".encode())
    return response


def answers(*, first: float = 0.0, gap: float = 0.0, tokens: int = 3) -> Behaviour:
    """Tokens at known times: the first one after ``first`` seconds, the others ``gap`` seconds apart."""

    async def behave(_: Server, request: web.Request, seen: Seen) -> web.StreamResponse:
        if not seen.body["stream"]:
            await asyncio.sleep(first + gap * (tokens - 1))
            return web.json_response({**last(tokens), "response": "x"})
        pauses = [first, *[gap] * (tokens - 1)]
        events = [(pause, {"token": "x"}) for pause in pauses]
        return await stream(request, seen, [*events, (0.0, last(tokens))])

    return behave
