"""What is measured: each case works in a namespace of its own and returns figures. docs/performance.md says why."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager

import httpx

from e2e.operator_benchmark import api, process

CHILDREN = ("Deployment", "Service", "HorizontalPodAutoscaler")
_SECONDS = 300
"""More than any step takes, unless something is wrong."""


class BenchmarkError(Exception):
    """It cannot be measured; the message says what to do."""


def codemodel(name: str) -> api.Manifest:
    """Return a CodeModel with all children that runs nothing: the operator is measured, not the kubelet."""
    return {
        "apiVersion": "codemodel.dev/v1alpha1",
        "kind": "CodeModel",
        "metadata": {"name": name},
        "spec": {"engine": {"name": "mock"}, "suspend": True},
    }


class Seen:
    """When each child was first seen, in seconds of `time.monotonic`, and with which generation last."""

    def __init__(self) -> None:
        self._first: dict[tuple[str, str], float] = {}
        self._generations: dict[tuple[str, str], tuple[int, float]] = {}
        self._news = asyncio.Event()

    def note(self, kind: str, came: float, manifest: api.Manifest) -> None:
        """Note an object that a watch brought."""
        metadata = manifest["metadata"]
        key = kind, metadata["name"]
        self._first.setdefault(key, came)
        generation = metadata.get("generation", 0)
        if generation > self._generations.get(key, (0, 0.0))[0]:
            self._generations[key] = generation, came
        self._news.set()

    def complete(self, name: str) -> float | None:
        """Return when the last of a CodeModel's children was first seen, None when not all were."""
        times = [self._first.get((kind, name)) for kind in CHILDREN]
        return None if None in times else max(time for time in times if time is not None)

    def generation(self, name: str) -> tuple[int, float]:
        """Return the generation of a Deployment, and when it was first seen."""
        return self._generations.get(("Deployment", name), (0, 0.0))

    async def all_complete(self, names: Iterable[str]) -> list[float]:
        """Wait for all children of all these CodeModels; return when each CodeModel had its last one."""
        missing, done = set(names), list[float]()
        while missing:
            await self._wait(f"the children of {len(missing)} CodeModels")
            found = {name: when for name in missing if (when := self.complete(name)) is not None}
            missing -= found.keys()
            done += found.values()
        return done

    async def newer(self, name: str, generation: int) -> float:
        """Wait for a later generation of a Deployment; return when it came."""
        while self.generation(name)[0] <= generation:
            await self._wait(f"a rollout of {name}")
        return self.generation(name)[1]

    async def _wait(self, what: str) -> None:
        self._news.clear()
        try:
            async with asyncio.timeout(_SECONDS):
                await self._news.wait()
        except TimeoutError:
            raise BenchmarkError(f"waited {_SECONDS} s for {what}: does the operator run?") from None


@asynccontextmanager
async def watching(client: httpx.AsyncClient, namespace: str) -> AsyncIterator[Seen]:
    """See what becomes of the children in a namespace as long as the body runs."""
    seen = Seen()

    async def follow(kind: str) -> None:
        async for came, manifest in api.watch(client, kind, namespace):
            seen.note(kind, came, manifest)

    tasks = [asyncio.create_task(follow(kind)) for kind in CHILDREN]
    try:
        yield seen
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def one_at_a_time(client: httpx.AsyncClient, namespace: str, count: int) -> list[float]:
    """Create CodeModels, each when the one before has its children; return the seconds that each took."""
    taken = []
    async with watching(client, namespace) as seen:
        for number in range(count):
            name = f"one-{number}"
            began = time.monotonic()
            await api.create(client, namespace, codemodel(name))
            (ended,) = await seen.all_complete([name])
            taken.append(ended - began)
    return taken


async def at_once(client: httpx.AsyncClient, namespace: str, count: int) -> float:
    """Create so many CodeModels as fast as the API server takes them; return the seconds until the last child."""
    names = [f"many-{number}" for number in range(count)]
    async with watching(client, namespace) as seen:
        began = time.monotonic()
        waiting = asyncio.create_task(seen.all_complete(names))
        await asyncio.gather(*(api.create(client, namespace, codemodel(name)) for name in names))
        return max(await waiting) - began


async def edits(client: httpx.AsyncClient, namespace: str, count: int) -> list[float]:
    """Change specs of CodeModels that `at_once` made; return the seconds until each Deployment's new generation."""
    taken = []
    async with watching(client, namespace) as seen:
        names = [f"many-{number}" for number in range(count)]
        await seen.all_complete(names)
        for name in names:
            generation, _ = seen.generation(name)
            began = time.monotonic()
            await api.change(client, namespace, name, {"engine": {"parallel": 8}})
            taken.append(await seen.newer(name, generation) - began)
    return taken


def writes_of_a_resync(count: int) -> int:
    """Restart the operator beside so many CodeModels; return how many writes its first look at all of them caused."""
    process.restart()
    deadline = time.monotonic() + _SECONDS
    while process.reconciles() < count:
        if time.monotonic() > deadline:
            raise BenchmarkError(f"the operator did not look at {count} CodeModels in {_SECONDS} s")
        time.sleep(1)
    process.settle()
    return process.writes(process.requests())
