"""What is measured: each case works in a namespace of its own and returns figures. docs/operator.md says why."""

import asyncio
import json
import time
from collections.abc import Sequence

import httpx

from e2e.operator_benchmark import api
from e2e.operator_benchmark.operators import BenchmarkError, Operator
from e2e.operator_benchmark.seen import CHILDREN, SECONDS, watching

_FIRST = "many-0"


async def one_at_a_time(
    client: httpx.AsyncClient, namespace: str, operator: Operator, count: int
) -> list[float]:
    """Create custom resources, each when the one before has its children; return the seconds that each took."""
    taken = []
    async with watching(client, namespace) as seen:
        for number in range(count):
            name = f"one-{number}"
            began = time.monotonic()
            await api.create(client, namespace, operator.resource(name))
            (ended,) = await seen.all_complete([name])
            taken.append(ended - began)
    return taken


async def at_once(client: httpx.AsyncClient, namespace: str, operator: Operator, count: int) -> float:
    """Create so many as fast as the API server takes them; return the seconds until the last child."""
    names = [f"many-{number}" for number in range(count)]
    return await _create_all(client, namespace, [operator.resource(name) for name in names], names)


async def alone(client: httpx.AsyncClient, namespace: str, made: str, count: int) -> float:
    """Create what an operator made for so many, as fast as the API server takes it; return the seconds until the last.

    Args:
        client: of the API server.
        namespace: where to.
        made: the namespace of `at_once`, of whose first custom resource the children are.
        count: how many times.
    """
    texts = [json.dumps(_bare(await api.read(client, made, kind, _FIRST))) for kind in CHILDREN]
    names = [f"alone-{number}" for number in range(count)]
    manifests = [json.loads(text.replace(_FIRST, name)) for name in names for text in texts]
    return await _create_all(client, namespace, manifests, names)


async def _create_all(
    client: httpx.AsyncClient, namespace: str, manifests: Sequence[api.Manifest], names: Sequence[str]
) -> float:
    """Create all at once; return the seconds until the last child of these names."""
    async with watching(client, namespace) as seen:
        began = time.monotonic()
        waiting = asyncio.create_task(seen.all_complete(names))
        await asyncio.gather(*(api.create(client, namespace, manifest) for manifest in manifests))
        return max(await waiting) - began


def _bare(manifest: api.Manifest) -> api.Manifest:
    """Leave out what the API server added, and whatever makes an operator's of it."""
    spec = {key: value for key, value in manifest["spec"].items() if key not in ("clusterIP", "clusterIPs")}
    name = {"name": manifest["metadata"]["name"]}
    return {"apiVersion": manifest["apiVersion"], "kind": manifest["kind"], "metadata": name, "spec": spec}


async def edits(client: httpx.AsyncClient, namespace: str, operator: Operator, count: int) -> list[float]:
    """Change specs of what `at_once` made; return the seconds until each Deployment's new generation."""
    taken = []
    async with watching(client, namespace) as seen:
        names = [f"many-{number}" for number in range(count)]
        await seen.all_complete(names)
        for name in names:
            kind = operator.resource(name)["kind"]
            generation, _ = seen.generation(name)
            began = time.monotonic()
            await api.change(client, namespace, kind, name, operator.edit)
            taken.append(await seen.newer(name, generation) - began)
    return taken


def resync(operator: Operator, count: int) -> None:
    """Restart the operator beside so many custom resources, and wait until it has looked at them.

    Raises:
        BenchmarkError: it does not look at all of them.
    """
    operator.restart()
    deadline = time.monotonic() + SECONDS
    while operator.reconciles() < count:
        if time.monotonic() > deadline:
            raise BenchmarkError(f"{operator.name} did not look at {count} custom resources in {SECONDS} s")
        time.sleep(1)
