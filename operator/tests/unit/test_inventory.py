"""What the cluster has: looked at seldom, and never in the way."""

import asyncio
from decimal import Decimal
from typing import Any

import pytest

from codemodel_operator.errors import RefusedError, TemporaryError
from codemodel_operator.inventory import Inventory
from codemodel_operator.nodes import Node, read_node, too_small

from .conftest import FakeCluster

GI = 1 << 30


def node(
    name: str = "n1", memory: str | None = "4Gi", *taints: dict[str, str], **spec: Any
) -> dict[str, Any]:
    allocatable = {"cpu": "2", **({"memory": memory} if memory else {})}
    return {
        "metadata": {"name": name},
        "spec": {**spec, **({"taints": list(taints)} if taints else {})},
        "status": {"allocatable": allocatable},
    }


def taint(key: str, effect: str = "NoSchedule") -> dict[str, str]:
    return {"key": key, "effect": effect}


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.mark.parametrize(
    "counted",
    [
        node(),
        node("n1", "4Gi", taint("mine", "PreferNoSchedule")),
        # It takes pods again when its trouble is over.
        node(
            "n1",
            "4Gi",
            taint("node.kubernetes.io/not-ready"),
            taint("node.kubernetes.io/unreachable", "NoExecute"),
        ),
        node("n1", "4Gi", taint("node.kubernetes.io/memory-pressure")),
    ],
    ids=["plain", "preference", "not ready", "under pressure"],
)
def test_a_node_that_may_take_a_replica_counts(counted: dict[str, Any]) -> None:
    assert read_node(counted) == Node("n1", Decimal(4 * GI))


@pytest.mark.parametrize(
    "other",
    [
        node(unschedulable=True),
        node("n1", "4Gi", taint("node.kubernetes.io/unschedulable")),
        node("n1", "4Gi", taint("node-role.kubernetes.io/control-plane")),
        node("n1", "4Gi", taint("nvidia.com/gpu", "NoExecute")),
        node("n1", None),
        {"metadata": {"name": "young"}},
    ],
    ids=["cordoned", "being cordoned", "control plane", "kept for others", "no memory told", "no status"],
)
def test_a_node_that_takes_none_does_not(other: dict[str, Any]) -> None:
    assert read_node(other) is None


def test_the_largest_node_decides_and_without_any_nobody_knows() -> None:
    nodes = [Node("small", Decimal(2 * GI)), Node("large", Decimal(8 * GI))]
    assert too_small(nodes, Decimal(8 * GI)) is None
    assert too_small(nodes, Decimal(8 * GI + 1)) == nodes[1]
    assert too_small([], Decimal(1)) is None
    assert too_small(None, Decimal(1)) is None


def test_a_burst_is_one_look_and_so_is_the_next_minute(cluster: FakeCluster) -> None:
    cluster.of_the_cluster["Node"] = [node()]
    clock = Clock()

    async def ask() -> None:
        inventory = Inventory(cluster, clock)
        await asyncio.gather(*(inventory.nodes() for _ in range(100)))
        clock.now += 59
        assert await inventory.nodes() == [Node("n1", Decimal(4 * GI))]
        assert cluster.surveys == ["Node"]
        cluster.of_the_cluster["Node"].append(node("n2", "8Gi"))
        clock.now += 2
        assert [found.name for found in await inventory.nodes() or ()] == ["n1", "n2"]

    asyncio.run(ask())
    assert cluster.surveys == ["Node", "Node"]


def test_without_the_right_nothing_is_known_and_it_is_not_asked_again_at_once(cluster: FakeCluster) -> None:
    cluster.refuse = dict.fromkeys(("Node", "StorageClass"), RefusedError("forbidden"))

    async def ask() -> None:
        inventory = Inventory(cluster, Clock())
        for _ in range(3):
            assert await inventory.nodes() is None
            assert await inventory.has_default_class() is None

    asyncio.run(ask())
    assert sorted(cluster.surveys) == ["Node", "StorageClass"]


def test_a_look_that_failed_for_the_moment_is_repeated(cluster: FakeCluster) -> None:
    """What follows from the storage classes stays, so it is not guessed; nodes only make a verdict better."""

    async def ask() -> None:
        inventory = Inventory(cluster, Clock())
        cluster.refuse = dict.fromkeys(("Node", "StorageClass"), TemporaryError("503"))
        assert await inventory.nodes() is None
        with pytest.raises(TemporaryError):
            await inventory.has_default_class()
        cluster.refuse = {}
        assert await inventory.nodes() == []
        assert await inventory.has_default_class() is True

    asyncio.run(ask())


def test_who_gives_up_waiting_takes_nothing_from_the_others(cluster: FakeCluster) -> None:
    cluster.of_the_cluster["Node"] = [node()]

    async def ask() -> None:
        inventory = Inventory(cluster, Clock())
        first = asyncio.create_task(inventory.nodes())
        second = asyncio.create_task(inventory.nodes())
        await asyncio.sleep(0)
        first.cancel()
        assert await second == [Node("n1", Decimal(4 * GI))]

    asyncio.run(ask())


@pytest.mark.parametrize(
    ("annotations", "default"),
    [
        ({"storageclass.kubernetes.io/is-default-class": "true"}, True),
        ({"storageclass.beta.kubernetes.io/is-default-class": "true"}, True),
        ({"storageclass.kubernetes.io/is-default-class": "false"}, False),
        (None, False),
    ],
)
def test_only_a_class_that_claims_get_by_default_counts(
    cluster: FakeCluster, annotations: dict[str, str] | None, default: bool
) -> None:
    cluster.of_the_cluster["StorageClass"] = [{"metadata": {"name": "c", "annotations": annotations}}]
    assert asyncio.run(Inventory(cluster, Clock()).has_default_class()) is default
