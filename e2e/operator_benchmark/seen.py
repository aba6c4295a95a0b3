"""What watches brought of the children, and the waiting for it."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager

import httpx

from e2e.operator_benchmark import api
from e2e.operator_benchmark.operators import BenchmarkError

CHILDREN = ("Deployment", "Service", "HorizontalPodAutoscaler")
SECONDS = 300
"""More than any step takes, unless something is wrong."""


class Seen:
    """When each child was first seen, in seconds of `time.monotonic`, and with which generation last."""

    def __init__(self) -> None:
        self._first: dict[tuple[str, str], float] = {}
        self._generations: dict[tuple[str, str], tuple[int, float]] = {}
        self._came: set[str] = set()
        self._broken: Exception | None = None
        self._news = asyncio.Event()

    def note(self, kind: str, came: float, manifest: api.Manifest) -> None:
        """Note an object that a watch brought."""
        metadata = manifest["metadata"]
        key = kind, metadata["name"]
        self._first.setdefault(key, came)
        self._came.add(metadata["name"])
        generation = metadata.get("generation", 0)
        if generation > self._generations.get(key, (0, 0.0))[0]:
            self._generations[key] = generation, came
        self._news.set()

    def break_off(self, error: Exception) -> None:
        """Note that a watch broke off: what is waited for might never be seen."""
        self._broken = error
        self._news.set()

    def complete(self, name: str) -> float | None:
        """Return when the last of a custom resource's children was first seen, None when not all were."""
        times = [self._first.get((kind, name)) for kind in CHILDREN]
        return None if None in times else max(time for time in times if time is not None)

    def generation(self, name: str) -> tuple[int, float]:
        """Return the generation of a Deployment, and when it was first seen."""
        return self._generations.get(("Deployment", name), (0, 0.0))

    async def all_complete(self, names: Iterable[str]) -> list[float]:
        """Wait for all children of all these custom resources; return when each of them had its last one.

        Raises:
            BenchmarkError: they did not come.
        """
        missing, done = set(names), list[float]()
        self._came = missing.copy()
        while True:
            # Only those of which something came: to look at a thousand for each event takes a processor of its own.
            found = {name: when for name in missing & self._came if (when := self.complete(name)) is not None}
            self._came.clear()
            missing -= found.keys()
            done += found.values()
            if not missing:
                return done
            await self._wait(f"the children of {len(missing)} custom resources")

    async def newer(self, name: str, generation: int) -> float:
        """Wait for a later generation of a Deployment; return when it came.

        Raises:
            BenchmarkError: it did not come.
        """
        while self.generation(name)[0] <= generation:
            await self._wait(f"a rollout of {name}")
        return self.generation(name)[1]

    async def _wait(self, what: str) -> None:
        if self._broken is None:
            self._news.clear()
            try:
                async with asyncio.timeout(SECONDS):
                    await self._news.wait()
            except TimeoutError:
                raise BenchmarkError(f"waited {SECONDS} s for {what}: does the operator run?") from None
        if self._broken is not None:
            raise BenchmarkError(f"the watch for {what} broke off: {self._broken!r}; run it again")


@asynccontextmanager
async def watching(client: httpx.AsyncClient, namespace: str) -> AsyncIterator[Seen]:
    """See what becomes of the children in a namespace as long as the body runs."""
    seen = Seen()

    async def follow(kind: str) -> None:
        try:
            async for came, manifest in api.watch(client, kind, namespace):
                seen.note(kind, came, manifest)
        except (httpx.HTTPError, ValueError, KeyError) as error:
            seen.break_off(error)

    tasks = [asyncio.create_task(follow(kind)) for kind in CHILDREN]
    try:
        yield seen
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
