"""Sends the requests of phases, open and closed, and keeps what came of them."""

import asyncio
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from random import Random
from typing import Protocol

from e2e.load import arrivals
from e2e.load.results import Request
from e2e.load.scenario import MAX_REQUESTS, Closed, Open, PhasePlan

MAX_UNDER_WAY = 960
"""Requests under way at a time: each has a file descriptor, and 1024 is the usual limit. One more is sent late."""

TICK_SECONDS = 0.05
"""How often the generator looks whether it gets to run in time."""


class Sender(Protocol):
    """What sends one request, such as :class:`e2e.load.client.Client`."""

    async def send(self, phase: int, scheduled: float, prompt: str) -> tuple[Request, float]:
        """Return how the request ended, and the seconds that a closed client waits before the next."""


@dataclass
class Span:
    """A phase as it was run; times on the generator's clock."""

    plan: PhasePlan
    begin: float
    end: float
    cpu_seconds: float = 0.0
    """CPU time of the generator's thread."""

    loop_delays: list[float] = field(default_factory=list)
    """How late each clock tick came, seconds."""


class Generator:
    """Sends and records. Used inside ``async with``; what is under way at its end is cut off, and not recorded.

    Args:
        sender: sends a request.
        prompts: one for each request.
        seed: of the arrivals: the same seed gives the same times.
        clock: seconds; the clock of requests and spans.
        stopped: once it says so, closed clients send nothing more. What is under way is still answered.
    """

    def __init__(
        self,
        sender: Sender,
        prompts: Iterator[str],
        seed: int,
        clock: Callable[[], float],
        stopped: Callable[[], bool] = lambda: False,
    ) -> None:
        self.requests: list[Request] = []
        """What ended so far; grows while phases run."""

        self.spans: list[Span] = []
        """Phases so far, the last one perhaps under way."""

        self._sender, self._prompts, self._seed, self._clock = sender, prompts, seed, clock
        self._tasks = asyncio.TaskGroup()
        self._under_way: set[asyncio.Task[float]] = set()
        self._room = asyncio.Semaphore(MAX_UNDER_WAY)
        self._stopped = stopped

    async def __aenter__(self) -> "Generator":
        await self._tasks.__aenter__()
        self._ticking = self._tasks.create_task(self._tick())
        return self

    async def __aexit__(self, *error: object) -> None:
        for task in (self._ticking, *self._under_way):
            task.cancel()
        await self._tasks.__aexit__(*error)  # type: ignore[arg-type]  # what Python itself passes on

    @property
    def under_way(self) -> int:
        """Requests that have no answer yet."""
        return len(self._under_way)

    async def run(self, plan: PhasePlan) -> int:
        """Run a phase; return its index in ``spans``. The answers to open arrivals may come later: see ``drain``."""
        index, begin, cpu = len(self.spans), self._clock(), time.thread_time()
        span = Span(plan, begin, begin + (plan.seconds or 0))
        self.spans.append(span)
        try:
            if isinstance(plan.arrivals, Closed):
                await self._run_closed(index, plan.arrivals, plan)
            else:
                await self._run_open(index, plan.arrivals, span)
        finally:
            # Also where it was cut off: then there is less of it.
            span.end, span.cpu_seconds = self._clock(), time.thread_time() - cpu
        return index

    async def drain(self) -> None:
        """Wait until everything that was sent is answered."""
        while self._under_way:
            await asyncio.wait(self._under_way)

    async def _run_open(self, index: int, load: Open, span: Span) -> None:
        seconds = span.end - span.begin
        if load.kind == "constant":
            offsets = arrivals.constant(load.rate, seconds)
        else:
            offsets = arrivals.poisson(load.rate, seconds, Random(f"{self._seed} {index}"))  # noqa: S311
        for offset in offsets:
            await self._until(span.begin + offset)
            self._start(index, span.begin + offset)
        await self._until(span.end)

    async def _run_closed(self, index: int, load: Closed, plan: PhasePlan) -> None:
        deadline = None if plan.seconds is None else self._clock() + plan.seconds
        most, taken = plan.requests or MAX_REQUESTS, 0

        async def client() -> None:
            nonlocal taken
            while not self._stopped() and taken < most:
                now = self._clock()
                if deadline is not None and now >= deadline:
                    return
                taken += 1
                asked = await self._start(index, now)
                await asyncio.sleep(max(asked, load.pause_seconds))

        async with asyncio.TaskGroup() as clients:
            for _ in range(load.clients):
                clients.create_task(client())

    def _start(self, index: int, scheduled: float) -> asyncio.Task[float]:
        task = self._tasks.create_task(self._send(index, scheduled, next(self._prompts)))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)
        return task

    async def _send(self, index: int, scheduled: float, prompt: str) -> float:
        async with self._room:
            request, pause = await self._sender.send(index, scheduled, prompt)
        self.requests.append(request)
        return pause

    async def _until(self, at: float) -> None:
        await asyncio.sleep(max(at - self._clock(), 0))

    async def _tick(self) -> None:
        while True:
            due = self._clock() + TICK_SECONDS
            await self._until(due)
            if self.spans:
                self.spans[-1].loop_delays.append(self._clock() - due)
