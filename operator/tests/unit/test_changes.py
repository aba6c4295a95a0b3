"""Which events cause a look at a CodeModel, and when."""

import asyncio
from typing import Any

import pytest

from codemodel_operator.changes import Changes
from codemodel_operator.workqueue import WorkQueue

from .test_workqueue import A, B, Middle, Time

Manifest = dict[str, Any]


def thing(uid: str, resource_version: int, kind: str = "Deployment", **metadata: Any) -> Manifest:
    return {"kind": kind, "metadata": {"uid": uid, "resourceVersion": str(resource_version), **metadata}}


class World:
    """A queue, what watches tell, and a clock."""

    def __init__(self) -> None:
        self.time = Time()
        self.queue = WorkQueue(
            clock=lambda: self.time.now, call_later=self.time.call_later, rng=Middle(), base_delay=1.0
        )
        self.changes = Changes(self.queue, lambda: self.time.now, self.time.call_later)

    def came(self, *objects: Manifest, deleted: bool = False) -> None:
        for object_ in objects:
            self.changes.came(A, object_, deleted=deleted)

    def looks(self) -> int:
        """How many are asked for when the usual delay is over."""
        self.time.advance(0.11)
        return self.queue.depth()


@pytest.fixture
def world() -> World:
    world = World()
    world.changes.left(A, [thing("d", 5), thing("s", 6)])
    return world


def test_what_the_last_look_wrote_itself_is_no_news(world: World) -> None:
    world.came(thing("d", 4), thing("d", 5), thing("s", 6))
    assert world.looks() == 0


def test_a_burst_of_news_is_one_look_a_moment_later(world: World) -> None:
    world.came(thing("d", 5), thing("d", 7), thing("s", 8))
    assert world.queue.depth() == 0
    assert world.looks() == 1


@pytest.mark.parametrize("uid", ["d", "unheard-of"])
def test_what_was_deleted_is_always_news(world: World, uid: str) -> None:
    world.came(thing(uid, 5), deleted=True)
    assert world.looks() == 1


def test_an_object_that_no_look_has_seen_is_news(world: World) -> None:
    world.came(thing("p", 1, "Pod"))
    assert world.looks() == 1


def test_a_codemodel_that_was_never_looked_at_is_news(world: World) -> None:
    world.changes.came(B, thing("d", 5), deleted=False)
    assert world.looks() == 1


def test_a_codemodel_that_is_gone_is_forgotten(world: World) -> None:
    world.changes.left(A, [])
    world.came(thing("d", 5))
    assert world.looks() == 1


def test_of_what_a_look_has_read_and_written_the_last_counts(world: World) -> None:
    world.changes.left(A, [thing("d", 5), thing("d", 9)])
    world.came(thing("d", 9))
    assert world.looks() == 0


def test_an_event_during_a_look_is_judged_by_what_that_look_did(world: World) -> None:
    async def look(version: int) -> int:
        world.queue.add(A)
        await world.queue.get()
        world.came(thing("d", 10))
        assert world.looks() == 0
        world.changes.left(A, [thing("d", version)])
        world.queue.done(A, 1000.0)
        return world.looks()

    assert asyncio.run(look(10)) == 0
    assert asyncio.run(look(11)) == 1


def budget(resource_version: int, generation: int = 1, **labels: str) -> Manifest:
    return thing("b", resource_version, "PodDisruptionBudget", generation=generation, labels=labels)


@pytest.mark.parametrize(
    ("after", "looks"),
    [(budget(2), 0), (budget(2, generation=2), 1), (budget(2, changed="by hand"), 1)],
    ids=["status", "spec", "metadata"],
)
def test_of_a_budget_only_the_status_says_nothing(world: World, after: Manifest, looks: int) -> None:
    world.changes.left(A, [budget(1)])
    world.came(after)
    assert world.looks() == looks


def test_news_wait_for_new_codemodels_but_not_for_ever(world: World) -> None:
    async def scenario() -> float:
        world.came(thing("d", 7))
        began = world.time.now
        while not world.queue.depth():
            # One after another: each is taken and done at once.
            world.queue.add(B, urgent=True)
            await world.queue.get()
            world.queue.forget(B)
            world.time.advance(0.05)
            assert world.time.now - began < 3
        return world.time.now - began

    assert 2.0 <= asyncio.run(scenario()) <= 2.7


def test_news_come_soon_when_no_more_are_new(world: World) -> None:
    async def scenario() -> None:
        world.queue.add(B, urgent=True)
        await world.queue.get()
        world.queue.forget(B)
        world.came(thing("d", 7))

    asyncio.run(scenario())
    world.time.advance(0.11)
    assert world.queue.depth() == 1
