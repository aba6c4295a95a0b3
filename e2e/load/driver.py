"""A closed load beside a test: it runs in a thread of its own until it is told to stop."""

import asyncio
import itertools
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass

from e2e.load import target
from e2e.load.client import Client, connect
from e2e.load.generator import Generator
from e2e.load.results import Request
from e2e.load.scenario import Closed, PhasePlan

_REQUEST_SECONDS = 30


@dataclass(frozen=True)
class Plan:
    """A load and its bounds.

    Raises:
        TargetError: the target is not on this machine.
        ValueError: a number is out of the bounds that scenarios have.
    """

    target: str
    """Base URL."""

    clients: int
    """Requests under way at the same time."""

    seconds: float
    """The load ends after so long, if it is not stopped before."""

    pause_seconds: float = 0.0
    """Each client's pause between an answer and its next request."""

    prompt: str = "def fibonacci(n):"
    max_tokens: int = 32

    def __post_init__(self) -> None:
        target.check(self.target, allow_remote=False)
        self.phase()

    def phase(self) -> PhasePlan:
        """The same for the generator."""
        arrivals = Closed(kind="closed", clients=self.clients, pause_seconds=self.pause_seconds)
        return PhasePlan(name="load", arrivals=arrivals, seconds=self.seconds)


class Load:
    """A load under way."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.requests: list[Request] = []
        """What ended so far, times in Unix seconds; grows while the load runs."""

        self._stop = threading.Event()

    def stop(self) -> None:
        """Send nothing more. What is under way is still answered, so stopping causes no failure."""
        self._stop.set()

    def run(self) -> None:
        """Drive the load to its end."""
        asyncio.run(self._drive())

    async def _drive(self) -> None:
        offset = time.time() - time.monotonic()

        def clock() -> float:
            return offset + time.monotonic()

        async with connect() as session:
            client = Client(
                session,
                self.plan.target,
                stream=True,
                max_tokens=self.plan.max_tokens,
                timeout_seconds=_REQUEST_SECONDS,
                clock=clock,
            )
            async with Generator(
                client, itertools.repeat(self.plan.prompt), 0, clock, self._stop.is_set
            ) as generator:
                self.requests = generator.requests
                await generator.run(self.plan.phase())


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
