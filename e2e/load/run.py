"""Runs a scenario: puts client, generator, samples and analysis together, and returns the results."""

import asyncio
import contextlib
import itertools
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from dataclasses import dataclass
from random import Random
from typing import TypeVar

import aiohttp

from e2e.load import checks, soak, stress, target
from e2e.load.client import Client, connect
from e2e.load.generator import Generator, Span
from e2e.load.progress import Status
from e2e.load.results import Findings, Phase, Results, Sample
from e2e.load.scenario import Closed, PhasePlan, Scenario
from e2e.load.statistics import summarise

T = TypeVar("T")

SAMPLE_SECONDS = 1.0
"""How often replicas are looked at; they ask one another no more often."""

SHOW_SECONDS = 0.5


@dataclass(frozen=True)
class Options:
    """What a run is told besides its scenario."""

    target: str
    """Base URL, checked."""

    profile: str
    seed: int
    command: list[str]
    """The command line, for the results."""

    api_key: str | None = None
    stream: bool = True
    """False asks for whole answers, whatever the scenario says."""


class Run:
    """A scenario under way.

    Args:
        scenario: what is sent.
        options: where to, and how.
        show: is given the state twice a second.
        clock: seconds, monotonic.
    """

    def __init__(
        self,
        scenario: Scenario,
        options: Options,
        show: Callable[[Status], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._scenario, self._options, self._show = scenario, options, show
        self._profile = scenario.profile(options.profile)
        self._stream = scenario.stream and options.stream
        self._samples: list[Sample] = []
        self._clock = clock
        self._began = clock()

    async def results(self, stop: asyncio.Event) -> Results:
        """Send the load; return what came of it, or, when ``stop`` is set, what came of it until then.

        Raises:
            TargetError: the target does not answer, or wants an API key.
        """
        async with connect(self._options.api_key) as session:
            server = await target.about(session, self._options.target)
            started, self._began = time.time(), self._clock()
            client = Client(
                session,
                self._options.target,
                stream=self._stream,
                max_tokens=self._scenario.max_tokens,
                timeout_seconds=self._scenario.timeout_seconds,
                clock=self._now,
            )
            async with (
                Generator(client, self._prompts(), self._options.seed, self._now) as generator,
                _beside(self._sample(session), self._report(generator)),
            ):
                finished, findings = await _until(stop, self._drive(generator))
        phases = [self._phase(generator, index) for index in range(len(generator.spans))]
        return Results(
            scenario=self._scenario.scenario,
            profile=self._options.profile,
            command=self._options.command,
            seed=self._options.seed,
            started=started,
            finished=finished,
            target=self._options.target,
            streaming=self._stream,
            machine=target.machine(),
            server=server,
            goodput=self._scenario.goodput,
            phases=phases,
            requests=sorted(generator.requests, key=lambda request: request.scheduled),
            samples=self._samples,
            findings=findings,
        )

    def _now(self) -> float:
        return self._clock() - self._began

    def _prompts(self) -> Iterator[str]:
        random = Random(self._options.seed)  # noqa: S311  # the same load again, not a secret
        for number in itertools.count(1):
            yield random.choice(self._scenario.prompts).replace("{n}", str(number))

    async def _drive(self, generator: Generator) -> Findings | None:
        async def attempt(plan: PhasePlan) -> Phase:
            index = await generator.run(plan)
            await generator.drain()
            return self._phase(generator, index)

        if self._profile.ramp:
            return await stress.search(self._profile.ramp, attempt)
        for plan in self._profile.phases:
            await generator.run(plan)
        await generator.drain()
        if self._scenario.trends:
            begin, end = generator.spans[0].begin, generator.spans[-1].end
            return soak.judge(generator.requests, self._samples, begin, end)
        return None

    def _phase(self, generator: Generator, index: int) -> Phase:
        span: Span = generator.spans[index]
        # As they are written: whoever computes a figure again from the file gets the same.
        begin, end = round(span.begin, 6), round(span.end, 6)
        requests = [request for request in generator.requests if request.phase == index]
        checked = checks.check(
            requests,
            end,
            span.loop_delays,
            span.cpu_seconds / max(span.end - span.begin, 1e-9),
            closed=isinstance(span.plan.arrivals, Closed),
        )
        summary = summarise(requests, begin, end, self._scenario.goodput)
        problems = checks.problems(checked, summary)
        return Phase(
            name=span.plan.name,
            begin=begin,
            end=end,
            arrivals=span.plan.told(),
            summary=summary,
            checks=checked,
            valid=not problems,
            problems=problems,
        )

    async def _sample(self, session: aiohttp.ClientSession) -> None:
        while True:
            at = self._now()
            replicas = await target.replicas(session, self._options.target)
            if replicas is not None:
                self._samples.append(Sample(at=round(at, 3), replicas=replicas))
            await asyncio.sleep(max(at + SAMPLE_SECONDS - self._now(), 0))

    async def _report(self, generator: Generator) -> None:
        while True:
            if generator.spans:
                self._show(
                    Status(
                        scenario=self._scenario.scenario,
                        plan=generator.spans[-1].plan,
                        index=len(generator.spans) - 1,
                        seconds=self._now() - generator.spans[-1].begin,
                        requests=generator.requests,
                        under_way=generator.under_way,
                        ready=sum(replica.ready for replica in self._samples[-1].replicas)
                        if self._samples
                        else None,
                    )
                )
            await asyncio.sleep(SHOW_SECONDS)


@contextlib.asynccontextmanager
async def _beside(*work: Coroutine[None, None, None]) -> AsyncIterator[None]:
    """Do this work until the body ends; the body ends with it if it fails."""
    async with asyncio.TaskGroup() as tasks:
        begun = [tasks.create_task(each) for each in work]
        try:
            yield
        finally:
            for task in begun:
                task.cancel()


async def _until(stop: asyncio.Event, work: Coroutine[None, None, T]) -> tuple[bool, T | None]:
    """Do the work unless ``stop`` is set before it ends; return whether it ended, and its result."""
    working, stopping = asyncio.create_task(work), asyncio.create_task(stop.wait())
    try:
        await asyncio.wait((working, stopping), return_when=asyncio.FIRST_COMPLETED)
        return (True, working.result()) if working.done() else (False, None)
    finally:
        for task in (working, stopping):
            task.cancel()
        await asyncio.wait((working, stopping))
