import asyncio

import pytest

from e2e.operator_benchmark.operators import BenchmarkError
from e2e.operator_benchmark.seen import CHILDREN, Seen


def child(name: str, generation: int = 1) -> dict[str, dict[str, object]]:
    return {"metadata": {"name": name, "generation": generation}}


def note_all(seen: Seen, name: str, first: float) -> None:
    for number, kind in enumerate(CHILDREN):
        seen.note(kind, first + number, child(name))


def test_complete_when_the_last_child_was_first_seen() -> None:
    seen = Seen()
    seen.note("Deployment", 1.0, child("a"))
    seen.note("Service", 2.0, child("a"))
    assert seen.complete("a") is None
    seen.note("HorizontalPodAutoscaler", 3.0, child("a"))
    seen.note("Deployment", 9.0, child("a", 2))
    assert seen.complete("a") == 3.0
    assert seen.complete("b") is None


def test_a_generation_counts_from_when_it_first_came() -> None:
    seen = Seen()
    assert seen.generation("a") == (0, 0.0)
    seen.note("Deployment", 1.0, child("a"))
    seen.note("Deployment", 2.0, child("a", 2))
    seen.note("Deployment", 3.0, child("a", 2))
    assert seen.generation("a") == (2, 2.0)


def test_children_that_came_before_the_waiting_are_not_waited_for() -> None:
    async def run() -> list[float]:
        seen = Seen()
        note_all(seen, "a", 1.0)
        return await asyncio.wait_for(seen.all_complete(["a"]), 5)

    assert asyncio.run(run()) == [3.0]


def test_waits_for_all_and_tells_when_each_was_complete() -> None:
    async def run() -> list[float]:
        seen = Seen()
        note_all(seen, "a", 1.0)
        waiting = asyncio.create_task(seen.all_complete(["a", "b"]))
        await asyncio.sleep(0)
        assert not waiting.done()
        note_all(seen, "b", 11.0)
        return await asyncio.wait_for(waiting, 5)

    assert asyncio.run(run()) == [3.0, 13.0]


def test_waits_for_a_generation_after_the_one_that_is_known() -> None:
    async def run() -> float:
        seen = Seen()
        seen.note("Deployment", 1.0, child("a", 4))
        waiting = asyncio.create_task(seen.newer("a", 4))
        await asyncio.sleep(0)
        seen.note("Deployment", 2.0, child("a", 4))
        await asyncio.sleep(0)
        assert not waiting.done()
        seen.note("Deployment", 3.0, child("a", 5))
        return await asyncio.wait_for(waiting, 5)

    assert asyncio.run(run()) == 3.0


@pytest.mark.parametrize("before", [True, False])
def test_a_watch_that_breaks_off_ends_the_waiting_at_once(before: bool) -> None:
    async def run() -> None:
        seen = Seen()
        error = ValueError("half a line")
        if before:
            seen.break_off(error)
        waiting = asyncio.create_task(seen.all_complete(["a"]))
        await asyncio.sleep(0)
        if not before:
            seen.break_off(error)
        await asyncio.wait_for(waiting, 5)

    with pytest.raises(BenchmarkError, match=r"the children of 1 custom resources broke off: .*half a line"):
        asyncio.run(run())
