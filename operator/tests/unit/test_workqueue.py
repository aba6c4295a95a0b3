"""The queue: nothing is lost, nothing is done twice at once, failures wait longer each time."""

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass, field

from hypothesis import given
from hypothesis import strategies as st

from codemodel_operator.errors import EndingError, TemporaryError
from codemodel_operator.metrics import Metrics
from codemodel_operator.workers import work_once
from codemodel_operator.workqueue import Key, WorkQueue

A, B, C = ("ns", "a"), ("ns", "b"), ("ns", "c")


@dataclass
class Time:
    """A clock that moves when told, and the timers that depend on it."""

    now: float = 0.0
    timers: list["FakeTimer"] = field(default_factory=list)

    def call_later(self, delay: float, callback: Callable[[], None]) -> "FakeTimer":
        timer = FakeTimer(self.now + delay, callback)
        self.timers.append(timer)
        return timer

    def advance(self, seconds: float) -> None:
        self.now += seconds
        for timer in [t for t in self.timers if t.due <= self.now]:
            self.timers.remove(timer)
            if not timer.cancelled:
                timer.callback()

    def pending(self) -> list[float]:
        return [round(t.due - self.now, 6) for t in self.timers if not t.cancelled]


@dataclass
class FakeTimer:
    due: float
    callback: Callable[[], None]
    cancelled: bool = False

    def cancel(self) -> None:
        self.cancelled = True


class Middle(random.Random):
    """No jitter: always the upper end."""

    def uniform(self, a: float, b: float) -> float:
        return b


def make() -> tuple[WorkQueue, Time]:
    time = Time()
    return WorkQueue(clock=lambda: time.now, call_later=time.call_later, rng=Middle()), time


async def is_empty(queue: WorkQueue) -> bool:
    getting = asyncio.ensure_future(queue.get())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    empty = not getting.done()
    getting.cancel()
    return empty


def test_many_events_are_one_look() -> None:
    async def scenario() -> None:
        queue, _ = make()
        for _ in range(100):
            queue.add(A)
        queue.add(B)
        assert [await queue.get(), await queue.get()] == [A, B]
        assert await is_empty(queue)

    asyncio.run(scenario())


def test_what_somebody_waits_for_comes_first() -> None:
    async def scenario() -> None:
        queue, time = make()
        queue.add(A)
        queue.add(B)
        queue.add(C, urgent=True)
        queue.add(B, urgent=True)
        queue.add(C)
        assert queue.depth() == 3
        assert [await queue.get() for _ in range(2)] == [C, B]
        time.advance(1)
        assert await queue.get() == A
        queue.add(B, urgent=True)
        queue.add(A)
        queue.add(B)
        for key in (A, B):
            queue.done(key, 300)
        assert await queue.get() == B
        time.advance(1)
        assert await queue.get() == A

    asyncio.run(scenario())


def test_an_event_during_work_is_not_lost_and_not_concurrent() -> None:
    async def scenario() -> None:
        queue, _ = make()
        queue.add(A)
        key = await queue.get()
        queue.add(A)
        assert await is_empty(queue)
        queue.done(key, 300)
        assert await queue.get() == A

    asyncio.run(scenario())


def test_a_waiting_worker_wakes_up() -> None:
    async def scenario() -> None:
        queue, _ = make()
        worker = asyncio.ensure_future(queue.get())
        await asyncio.sleep(0)
        queue.add(A)
        assert await worker == A

    asyncio.run(scenario())


def test_failures_wait_longer_each_time_and_success_forgives() -> None:
    async def scenario() -> None:
        queue, time = make()
        delays = []
        for _ in range(12):
            queue.add(A)
            delays.append(queue.retry(await queue.get()))
        assert delays[:4] == [0.2, 0.4, 0.8, 1.6]
        assert delays[-1] == 60.0
        time.advance(60)
        queue.done(await queue.get(), 300)
        queue.add(A)
        assert queue.retry(await queue.get()) == 0.2

    asyncio.run(scenario())


def test_every_key_is_looked_at_again_and_only_once() -> None:
    async def scenario() -> None:
        queue, time = make()
        for _ in range(3):
            queue.add(A)
            queue.done(await queue.get(), 300)
        assert time.pending() == [360.0]
        time.advance(360)
        assert await queue.get() == A

    asyncio.run(scenario())


def test_a_deleted_codemodel_is_forgotten() -> None:
    async def scenario() -> None:
        queue, time = make()
        queue.add(A)
        queue.retry(await queue.get())
        time.advance(1)
        queue.forget(await queue.get())
        assert time.pending() == []
        assert await is_empty(queue)
        assert queue.stuck_seconds() == 0

    asyncio.run(scenario())


def test_a_queue_that_does_not_move_is_told_from_a_long_one() -> None:
    async def scenario() -> None:
        queue, time = make()
        time.advance(1000)
        queue.add(A)
        queue.add(B)
        time.advance(50)
        assert queue.stuck_seconds() == 50
        taken = await queue.get()
        assert queue.stuck_seconds() == 0
        time.advance(10)
        queue.done(taken, 300)
        assert queue.stuck_seconds() == 10
        await queue.get()
        time.advance(20)
        assert queue.stuck_seconds() == 20

    asyncio.run(scenario())


def test_draining_waits_for_work_and_starts_no_more() -> None:
    async def scenario() -> None:
        queue, _ = make()
        queue.add(A)
        key = await queue.get()
        draining = asyncio.ensure_future(queue.drain(60))
        await asyncio.sleep(0)
        queue.add(B)
        assert await is_empty(queue)
        assert not draining.done()
        queue.done(key, 300)
        await draining

    asyncio.run(scenario())


def test_a_key_of_a_namespace_that_ends_is_forgotten() -> None:
    async def scenario() -> None:
        queue, time = make()

        async def reconcile(key: Key) -> float | None:
            raise EndingError("because it is being terminated")

        queue.add(A)
        await work_once(queue, reconcile, Metrics())
        assert time.pending() == []

    asyncio.run(scenario())


def test_a_worker_survives_every_failure() -> None:
    async def scenario() -> None:
        queue, time = make()
        outcomes: list[float | Exception | None] = [TemporaryError("later"), ValueError("bug"), 300.0, None]

        async def reconcile(key: Key) -> float | None:
            assert key == A
            outcome = outcomes.pop(0)
            if isinstance(outcome, Exception):
                raise outcome
            return outcome

        queue.add(A)
        for pending in ([0.2], [0.4], [360.0], []):
            await work_once(queue, reconcile, Metrics())
            assert time.pending() == pending
            time.advance(400)

    asyncio.run(scenario())


@given(st.lists(st.tuples(st.sampled_from(["add", "take", "done", "retry"]), st.sampled_from([A, B]))))
def test_whatever_happens_no_event_is_lost(steps: list[tuple[str, Key]]) -> None:
    """After the last event of a key somebody gets that key, at the latest once all timers have fired."""

    async def scenario() -> None:
        queue, time = make()
        owed: set[Key] = set()
        taken: set[Key] = set()
        for action, key in steps:
            if action == "add":
                queue.add(key)
                owed.add(key)
            elif action == "take" and not await is_empty_now(queue):
                got = await queue.get()
                assert got not in taken
                taken.add(got)
                owed.discard(got)
            elif key in taken:
                taken.discard(key)
                if action == "retry":
                    owed.add(key)
                    queue.retry(key)
                else:
                    queue.done(key, 300)
        for key in taken:
            queue.done(key, 300)
        time.advance(1000)
        while not await is_empty_now(queue):
            owed.discard(await queue.get())
        assert not owed

    async def is_empty_now(queue: WorkQueue) -> bool:
        return not queue._waiting

    asyncio.run(scenario())


async def rushing(seconds: float) -> tuple[WorkQueue, Time]:
    """Two are to be looked at, and for so long new ones have come every 0.05 seconds; none of them waits now."""
    queue, time = make()
    queue.add(A)
    queue.add(B)
    for number in range(round(seconds / 0.05) + 1):
        time.advance(0.05 if number else 0)
        key = ("ns", str(number))
        queue.add(key, urgent=True)
        assert await queue.get() == key
        queue.forget(key)
    return queue, time


def test_while_new_ones_come_the_others_wait() -> None:
    async def scenario() -> None:
        queue, time = await rushing(5)
        assert await is_empty(queue)
        queue.add(C, urgent=True)
        assert await queue.get() == C
        time.advance(0.9)
        # Others may follow when this one has what it waits for.
        assert await is_empty(queue)
        queue.done(C, 300)
        waiting = asyncio.ensure_future(queue.get())
        time.advance(0.09)
        await asyncio.sleep(0)
        assert not waiting.done()
        time.advance(0.02)
        assert await waiting == A

    asyncio.run(scenario())


def test_while_new_ones_come_for_long_the_others_are_looked_at_one_at_a_time() -> None:
    async def scenario() -> None:
        queue, _ = await rushing(10)
        assert await queue.get() == A
        assert await is_empty(queue)
        # Whoever is new does not wait for that one.
        queue.add(C, urgent=True)
        assert await queue.get() == C
        assert await is_empty(queue)
        waiting = asyncio.ensure_future(queue.get())
        await asyncio.sleep(0)
        queue.done(A, 300)
        assert await waiting == B

    asyncio.run(scenario())


def test_while_more_new_ones_wait_than_can_be_looked_at_one_of_the_others_goes_first() -> None:
    async def scenario() -> None:
        queue, time = make()
        queue.add(A)
        queue.add(B)
        new = [("ns", str(number)) for number in range(62)]
        for key in new:
            queue.add(key, urgent=True)
        for key in new[:60]:
            assert await queue.get() == key
            time.advance(0.5)
            queue.forget(key)
        assert await queue.get() == A
        assert await queue.get() == new[60]
        queue.done(A, 300)
        assert await queue.get() == B

    asyncio.run(scenario())


def test_a_new_one_that_takes_long_holds_nobody_back() -> None:
    async def scenario() -> None:
        queue, time = make()
        queue.add(C, urgent=True)
        assert await queue.get() == C
        queue.add(A)
        queue.add(B)
        waiting = [asyncio.ensure_future(queue.get()) for _ in range(2)]
        await asyncio.sleep(0)
        for _ in range(9):
            time.advance(0.1)
            await asyncio.sleep(0)
            assert not any(getting.done() for getting in waiting)
        time.advance(0.2)
        assert await asyncio.gather(*waiting) == [A, B]

    asyncio.run(scenario())


def test_when_no_new_ones_come_any_more_the_others_are_looked_at_together() -> None:
    async def scenario() -> None:
        queue, time = await rushing(10)
        assert await queue.get() == A
        waiting = asyncio.ensure_future(queue.get())
        await asyncio.sleep(0)
        time.advance(1)
        assert await waiting == B

    asyncio.run(scenario())
