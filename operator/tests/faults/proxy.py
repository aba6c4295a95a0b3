"""A proxy between the operator and its API server that misbehaves as it is told."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any

import aiohttp
from aiohttp import web

from ..control_plane.background import Background
from .requests import Request, describe

_HOP = ("connection", "host", "transfer-encoding", "content-length", "keep-alive")
"""Headers between two neighbours (RFC 9110, section 7.6.1), and those that aiohttp writes anew."""

_AUTOMATIC = ("Accept", "Accept-Encoding", "Content-Type", "User-Agent")
"""Headers that aiohttp would add to a request without them."""

_SHUTDOWN_SECONDS = 0.1
"""Held requests and watches never end by themselves."""


class Connection:
    """One request and its way to the API server, as a fault sees it."""

    def __init__(self, http: web.BaseRequest, session: aiohttp.ClientSession, url: str) -> None:
        self._http = http
        self._body = b""
        self._session = session
        self._url = url

    async def read(self) -> None:
        """Read what the operator sends."""
        self._body = await self._http.read()

    def upstream(self) -> Any:
        """Return the API server's answer, to be entered."""
        return self._session.request(
            self._http.method,
            self._url + self._http.raw_path,
            headers=_end_to_end(self._http.headers),
            data=self._body or None,
            timeout=aiohttp.ClientTimeout(total=None),
            skip_auto_headers=_AUTOMATIC,
            allow_redirects=False,
        )

    async def commit(self) -> None:
        """Let the API server do it, and keep its answer from the operator."""
        async with self.upstream() as answer:
            await answer.read()

    def cut(self) -> web.Response:
        """Reset the connection."""
        if self._http.transport:
            self._http.transport.abort()
        return web.Response()

    async def begin(self, answer: aiohttp.ClientResponse) -> web.StreamResponse:
        """Send the head of an answer."""
        response = web.StreamResponse(status=answer.status, headers=_end_to_end(answer.headers))
        await response.prepare(self._http)
        return response

    async def passed_on(self) -> web.StreamResponse:
        """Be no more than a proxy."""
        async with self.upstream() as answer:
            response = await self.begin(answer)
            async for piece in answer.content.iter_any():
                await response.write(piece)
            await response.write_eof()
            return response


Fault = Callable[[Connection], Awaitable[web.StreamResponse]]
"""Answers one request, or does not."""

Rule = Callable[[Request], Fault | None]
"""Decides which fault a request meets, None for none. Called on the loop, in the order of the requests."""


def no_faults(_: Request) -> None:
    """The rule of a proxy that does what it should."""


class Proxy:
    """Plain HTTP on 127.0.0.1 in front of the API server; counts what passes."""

    def __init__(self, background: Background, session: aiohttp.ClientSession, upstream: str) -> None:
        self._background = background
        self._session = session
        self._upstream = upstream
        self._rule: Rule = no_faults
        self._counts: Counter[tuple[str, str]] = Counter()
        self._open: dict[asyncio.Task[Any] | None, Connection] = {}
        self.requests: list[Request] = []
        """Since the rule was set."""

    @contextmanager
    def serving(self) -> Iterator[str]:
        """Answer at the URL that this gives."""
        runner, url = self._background.run(self._listen())
        try:
            yield url
        finally:
            self._background.run(self._close(runner))

    def obey(self, rule: Rule) -> None:
        """Set the rule, and begin to count anew."""
        self._background.run(self._obey(rule))

    def disconnect(self) -> None:
        """Reset every connection that waits for something, such as a watch."""
        self._background.run(self._disconnect())

    async def _disconnect(self) -> None:
        for connection in self._open.values():
            connection.cut()

    async def _close(self, runner: web.ServerRunner) -> None:
        # Those of a killed operator are no longer known to the server.
        tasks = [task for task in self._open if task]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await runner.cleanup()

    async def _listen(self) -> tuple[web.ServerRunner, str]:
        runner = web.ServerRunner(
            web.Server(self._handle, access_log=None), shutdown_timeout=_SHUTDOWN_SECONDS
        )
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        host, port = runner.addresses[0][:2]
        return runner, f"http://{host}:{port}"

    async def _obey(self, rule: Rule) -> None:
        self._rule, self._counts, self.requests = rule, Counter(), []

    async def _handle(self, http: web.BaseRequest) -> web.StreamResponse:
        connection = Connection(http, self._session, self._upstream)
        task = asyncio.current_task()
        self._open[task] = connection
        try:
            await connection.read()
            request = describe(http.method, http.path, http.query, self._counts)
            self.requests.append(request)
            fault = self._rule(request)
            return await (fault(connection) if fault else connection.passed_on())
        except (aiohttp.ClientError, ConnectionError):
            # The operator was killed meanwhile, or the API server has ended the stream.
            return connection.cut()
        finally:
            del self._open[task]


def _end_to_end(headers: Any) -> dict[str, str]:
    return {name: value for name, value in headers.items() if name.lower() not in _HOP}
