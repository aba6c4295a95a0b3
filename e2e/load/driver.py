"""A closed-loop load driver: so many clients, each sending its next request when the last one is answered."""

import asyncio
import ipaddress
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit

import httpx

from e2e.load.statistics import Request

MAX_CLIENTS = 64
MAX_SECONDS = 600

_REQUEST_SECONDS = 30
_MAX_PAUSE_SECONDS = 1.0
"""Longest wait after a 429, so that the loop stays closed whatever Retry-After says."""


@dataclass(frozen=True)
class Plan:
    """A load and its bounds."""

    target: str
    """Base URL; only loopback, because this sends as fast as it can."""

    clients: int
    """Requests in flight at the same time."""

    seconds: float
    """The load ends after so long, if it is not stopped before."""

    pause_seconds: float = 0.0
    """Each client's pause between an answer and its next request."""

    prompt: str = "def fibonacci(n):"
    max_tokens: int = 32

    def __post_init__(self) -> None:
        if not is_loopback(self.target):
            raise ValueError(
                f"{self.target} is not on this machine: load is only for 127.0.0.1, ::1 or localhost"
            )
        if not 1 <= self.clients <= MAX_CLIENTS:
            raise ValueError(f"clients is {self.clients}: choose 1 to {MAX_CLIENTS}")
        if not 0 < self.seconds <= MAX_SECONDS:
            raise ValueError(f"seconds is {self.seconds}: choose more than 0 and at most {MAX_SECONDS}")


def is_loopback(url: str) -> bool:
    """Whether an http(s) URL leads to this machine by its very words."""
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        return False
    if parts.hostname == "localhost":
        return True
    try:
        return ipaddress.ip_address(parts.hostname).is_loopback
    except ValueError:
        return False


class Load:
    """A load under way."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.requests: list[Request] = []
        """What ended so far; grows while the load runs."""

        self._stop = threading.Event()

    def stop(self) -> None:
        """Send nothing more. What is in flight is still answered, so stopping causes no failure."""
        self._stop.set()

    def run(self) -> None:
        """Drive the load to its end."""
        asyncio.run(self._drive())

    async def _drive(self) -> None:
        # A connection for each request: a kept one would stay with its replica, and a new replica get nothing.
        limits = httpx.Limits(max_keepalive_connections=0)
        async with httpx.AsyncClient(
            base_url=self.plan.target, limits=limits, timeout=_REQUEST_SECONDS, trust_env=False
        ) as client:
            deadline = time.monotonic() + self.plan.seconds
            await asyncio.gather(*(self._client(client, deadline) for _ in range(self.plan.clients)))

    async def _client(self, client: httpx.AsyncClient, deadline: float) -> None:
        while not self._stop.is_set() and time.monotonic() < deadline:
            await asyncio.sleep(await self._send(client))

    async def _send(self, client: httpx.AsyncClient) -> float:
        """Send one request, record how it ended and return the seconds to pause."""
        sent, started = time.time(), time.monotonic()
        try:
            response = await client.post(
                "/chat", json={"prompt": self.plan.prompt, "max_tokens": self.plan.max_tokens}
            )
        except httpx.HTTPError as error:
            self.requests.append(Request(sent, time.monotonic() - started, None, error=repr(error)))
            return self.plan.pause_seconds
        seconds, status = time.monotonic() - started, response.status_code
        replica = str(response.json()["replica"]) if status == 200 else None
        self.requests.append(Request(sent, seconds, status, replica))
        if status != 429:
            return self.plan.pause_seconds
        return min(float(response.headers.get("Retry-After", "1")), _MAX_PAUSE_SECONDS)


@contextmanager
def running(plan: Plan) -> Iterator[Load]:
    """A load that runs in a thread of its own while the body does; stopped and waited for at the end."""
    load = Load(plan)
    with ThreadPoolExecutor(1) as threads:
        future = threads.submit(load.run)
        try:
            yield load
        finally:
            load.stop()
        future.result()
