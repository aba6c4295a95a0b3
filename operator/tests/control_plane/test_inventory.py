"""What the cluster has, read from a real API server."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path

import pytest

from codemodel_operator.inventory import Inventory
from codemodel_operator.kube import KubeCluster
from codemodel_operator.nodes import Node

from .audit import Entry
from .bench import USER, Bench

_NODES = 130
"""More than are read at once."""


@asynccontextmanager
async def inventory(kubeconfig: Path, patch: pytest.MonkeyPatch) -> AsyncIterator[Inventory]:
    """As the operator makes it, with a clock that stands still."""
    patch.setenv("KUBECONFIG", str(kubeconfig))
    cluster = await KubeCluster.connect(connections=1)
    try:
        yield Inventory(cluster, lambda: 0.0)
    finally:
        await cluster.aclose()


def test_all_nodes_are_found_by_the_operator_s_own_rights(
    control_plane: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    api, names = control_plane.api, [f"node-{number:03}" for number in range(_NODES)]
    plane, audit = control_plane.plane, control_plane.audit
    kubeconfig = plane.kubeconfig("inventory", plane.url, control_plane.token)

    async def look() -> None:
        async with inventory(kubeconfig, monkeypatch) as found:
            for _ in range(3):
                # Without a kubelet, each is tainted as not ready.
                expected = [Node(name, Decimal(size << 30)) for size, name in enumerate(names, start=1)]
                assert await found.nodes() == expected
            assert await found.has_default_class() is True

    def looked(entry: Entry) -> bool:
        return (entry.user, entry.resource, entry.verb) == (USER, "nodes", "list")

    try:
        for number, name in enumerate(names, start=1):
            api.create({"apiVersion": "v1", "kind": "Node", "metadata": {"name": name}})
            memory = {"status": {"allocatable": {"memory": f"{number}Gi"}}}
            api.merge("Node", None, name, memory, "/status")
        start = audit.length()
        asyncio.run(look())
        assert len(audit.entries(looked, start)) == 2
    finally:
        for name in names:
            api.delete("Node", name)


def test_who_has_no_right_knows_nothing_and_is_no_worse_off(
    control_plane: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on a cluster of somebody else, where the operator has rights in a namespace only."""
    with control_plane.namespace() as namespace:
        token = control_plane.api.token(namespace, "default")
        kubeconfig = control_plane.plane.kubeconfig("nobody", control_plane.plane.url, token)

        async def look() -> None:
            async with inventory(kubeconfig, monkeypatch) as found:
                assert await found.nodes() is None
                assert await found.has_default_class() is None

        asyncio.run(look())
