"""What is measured: each case works in a namespace of its own and returns figures. docs/operator.md says why."""

import asyncio
import json
import time
from collections.abc import Mapping, Sequence

import httpx

from e2e.operator_benchmark import api
from e2e.operator_benchmark.operators import BenchmarkError, Operator
from e2e.operator_benchmark.seen import CHILDREN, SECONDS, watching


async def one_at_a_time(
    client: httpx.AsyncClient, namespace: str, operator: Operator, count: int
) -> list[float]:
    """Create custom resources, each when the one before has its children; return the seconds that each took."""
    names = [f"one-{number}" for number in range(count)]
    return await _create_in_turn(client, namespace, {name: [operator.resource(name)] for name in names})


async def at_once(client: httpx.AsyncClient, namespace: str, operator: Operator, count: int) -> float:
    """Create so many as fast as the API server takes them; return the seconds until the last child."""
    names = [f"many-{number}" for number in range(count)]
    return await _create_all(client, namespace, [operator.resource(name) for name in names], names)


async def alone_one_at_a_time(
    client: httpx.AsyncClient, namespace: str, made: str, count: int
) -> list[float]:
    """Create what an operator made for one, again when it is there; return the seconds that each took.

    Args:
        client: of the API server.
        namespace: where to.
        made: the namespace of `one_at_a_time`, of whose first custom resource the children are.
        count: how many times.
    """
    return await _create_in_turn(client, namespace, await _copies(client, made, "one-0", count))


async def alone_at_once(client: httpx.AsyncClient, namespace: str, made: str, count: int) -> float:
    """Create what an operator made for so many, as fast as the API server takes it; return the seconds until the last.

    Args:
        client: of the API server.
        namespace: where to.
        made: the namespace of `at_once`, of whose first custom resource the children are.
        count: how many times.
    """
    copies = await _copies(client, made, "many-0", count)
    manifests = [manifest for children in copies.values() for manifest in children]
    return await _create_all(client, namespace, manifests, list(copies))


async def _copies(
    client: httpx.AsyncClient, made: str, first: str, count: int
) -> dict[str, list[api.Manifest]]:
    """The children of a custom resource so many times, under names of their own."""
    texts = [json.dumps(_bare(await api.read(client, made, kind, first))) for kind in CHILDREN]
    names = [f"alone-{number}" for number in range(count)]
    return {name: [json.loads(text.replace(first, name)) for text in texts] for name in names}


async def _create_in_turn(
    client: httpx.AsyncClient, namespace: str, manifests: Mapping[str, Sequence[api.Manifest]]
) -> list[float]:
    """Create what belongs to a name when the name before has its children; return the seconds that each took."""
    taken = []
    async with watching(client, namespace) as seen:
        for name, of_it in manifests.items():
            began = time.monotonic()
            await asyncio.gather(*(api.create(client, namespace, manifest) for manifest in of_it))
            (ended,) = await seen.all_complete([name])
            taken.append(ended - began)
    return taken


async def _create_all(
    client: httpx.AsyncClient, namespace: str, manifests: Sequence[api.Manifest], names: Sequence[str]
) -> float:
    """Create all at once; return the seconds until the last child of these names."""
    async with watching(client, namespace) as seen:
        began = time.monotonic()
        waiting = asyncio.create_task(seen.all_complete(names))
        remaining = iter(manifests)

        async def create_rest() -> None:
            for manifest in remaining:
                await api.create(client, namespace, manifest)

        # One a connection: a client with thousands of requests in its queue takes the API server's processor from it.
        await asyncio.gather(*(create_rest() for _ in range(api.CONNECTIONS)))
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
