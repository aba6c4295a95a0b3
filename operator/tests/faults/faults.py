"""What a network and an API server do to an operator."""

import asyncio
import json
import threading
from http import HTTPStatus

import aiohttp
from aiohttp import web

from ..control_plane.background import Background
from .proxy import Connection, Fault
from .requests import Request

_REASONS = {
    HTTPStatus.CONFLICT: "Conflict",
    HTTPStatus.GONE: "Expired",
    HTTPStatus.TOO_MANY_REQUESTS: "TooManyRequests",
    HTTPStatus.INTERNAL_SERVER_ERROR: "InternalError",
    HTTPStatus.GATEWAY_TIMEOUT: "Timeout",
}


def answer(status: HTTPStatus, *, commit: bool = False) -> Fault:
    """Answer with an error, before the API server hears of the request or after it has done it."""

    async def fault(connection: Connection) -> web.StreamResponse:
        if commit:
            await connection.commit()
        headers = {"Retry-After": "1"} if status == HTTPStatus.TOO_MANY_REQUESTS else {}
        return web.json_response(_status(status), status=status, headers=headers)

    return fault


def cut(*, commit: bool = False) -> Fault:
    """Reset the connection, before the API server hears of the request or after it has done it."""

    async def fault(connection: Connection) -> web.StreamResponse:
        if commit:
            await connection.commit()
        return connection.cut()

    return fault


async def cut_after_head(connection: Connection) -> web.StreamResponse:
    """Reset the connection when a watch is established, before its first event."""
    async with connection.upstream() as upstream:
        await connection.begin(upstream)
        return connection.cut()


async def silent(connection: Connection) -> web.StreamResponse:
    """Establish a watch that never tells anything, nor ends."""
    async with connection.upstream() as upstream:
        await connection.begin(upstream)
        await asyncio.Event().wait()
        return connection.cut()


class Hold:
    """Lets no request go on that meets it."""

    def __init__(self) -> None:
        self.reached = threading.Event()
        """Set when the first has met it."""

    async def before(self, connection: Connection) -> web.StreamResponse:
        """Hold it before the API server hears of it."""
        self.reached.set()
        await asyncio.Event().wait()
        return connection.cut()

    async def after(self, connection: Connection) -> web.StreamResponse:
        """Let the API server do it, and hold its answer."""
        await connection.commit()
        return await self.before(connection)


def expire(events: int) -> Fault:
    """End a watch after so many events with 410: its client has to list anew."""
    return _end(events, HTTPStatus.GONE)


def fail(events: int) -> Fault:
    """End a watch after so many events with an internal error, as of an API server that lost etcd."""
    return _end(events, HTTPStatus.INTERNAL_SERVER_ERROR)


def tear(events: int) -> Fault:
    """Reset a watch after so many events, in the middle of the next one."""

    async def fault(connection: Connection) -> web.StreamResponse:
        async with connection.upstream() as upstream:
            response = await connection.begin(upstream)
            await _pass_lines(upstream, response, events)
            line = await upstream.content.readline()
            await response.write(line[: len(line) // 2])
            return connection.cut()

    return fault


class Deafness:
    """Swallows the events of watches until it is over; then it answers 410, so that clients list anew.

    That is what an API server does whose history is shorter than an outage: what happened meanwhile is never told,
    only what came of it.
    """

    def __init__(self, background: Background) -> None:
        self._background = background
        self._over = asyncio.Event()

    def end(self) -> None:
        """Let clients know."""
        self._background.call(self._over.set)

    async def fault(self, connection: Connection) -> web.StreamResponse:
        """See the class."""
        async with connection.upstream() as upstream:
            response = await connection.begin(upstream)
            await self._over.wait()
            await response.write(_error(HTTPStatus.GONE))
            await response.write_eof()
            return response


class Past:
    """Lists as they were: a restarted operator meets an API server whose cache lags behind.

    Watches go on from these lists, but tell nothing until the lag is over.
    """

    def __init__(self, background: Background) -> None:
        self._background = background
        self._lists: dict[tuple[str, str], bytes] = {}
        self._over = asyncio.Event()
        self._replaying = False

    def rule(self, request: Request) -> Fault | None:
        """Keep each first list, or from `begin` on answer with it."""
        key = (request.path, request.selector)
        if request.verb == "list":
            return self._replay(key) if self._replaying and key in self._lists else self._record(key)
        return self._late if request.verb == "watch" and self._replaying else None

    def begin(self) -> None:
        """Show what was kept from now on."""
        self._replaying = True

    def end(self) -> None:
        """Let the cache catch up: watches tell what they have missed."""
        self._replaying = False
        self._background.call(self._over.set)

    def _record(self, key: tuple[str, str]) -> Fault:
        async def fault(connection: Connection) -> web.StreamResponse:
            async with connection.upstream() as upstream:
                response = await connection.begin(upstream)
                body = await upstream.read()
                # The headers that tell how to read it are the same each time.
                self._lists.setdefault(key, body)
                await response.write(body)
                await response.write_eof()
                return response

        return fault

    def _replay(self, key: tuple[str, str]) -> Fault:
        async def fault(connection: Connection) -> web.StreamResponse:
            async with connection.upstream() as upstream:
                response = await connection.begin(upstream)
                await response.write(self._lists[key])
                await response.write_eof()
                return response

        return fault

    async def _late(self, connection: Connection) -> web.StreamResponse:
        await self._over.wait()
        return await connection.passed_on()


def _end(events: int, status: HTTPStatus) -> Fault:
    async def fault(connection: Connection) -> web.StreamResponse:
        async with connection.upstream() as upstream:
            response = await connection.begin(upstream)
            await _pass_lines(upstream, response, events)
            await response.write(_error(status))
            await response.write_eof()
            return response

    return fault


async def _pass_lines(upstream: aiohttp.ClientResponse, response: web.StreamResponse, count: int) -> None:
    for _ in range(count):
        await response.write(await upstream.content.readline())


def _status(status: HTTPStatus) -> dict[str, object]:
    return {
        "kind": "Status",
        "apiVersion": "v1",
        "status": "Failure",
        "message": f"{status.phrase}, by the fault proxy",
        "reason": _REASONS[status],
        "code": int(status),
    }


def _error(status: HTTPStatus) -> bytes:
    return json.dumps({"type": "ERROR", "object": _status(status)}).encode() + b"\n"
