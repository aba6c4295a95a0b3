"""The queue: fair, in order, bounded, and no place lost."""

import pytest

from codemodel_server.engines.request import Priority
from codemodel_server.scheduling import HEAD_START_SECONDS, AdmissionQueue, FullError, Ticket

CHAT, INFILL = Priority.CHAT, Priority.INFILL


class Clock:
    """Time that passes when told."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def enter(queue: AdmissionQueue, priority: Priority = CHAT) -> Ticket:
    return queue.enter([priority])[0]


def test_chats_are_admitted_in_order() -> None:
    queue = AdmissionQueue(slots=1, limit=5)
    tickets = [enter(queue) for _ in range(4)]
    for index, ticket in enumerate(tickets):
        assert [other.admitted for other in tickets[index:]] == [True] + [False] * (3 - index)
        assert ticket.changed.is_set()
        ticket.leave()
    assert (queue.running, queue.waiting) == (0, 0)


def test_no_more_wait_than_may() -> None:
    queue = AdmissionQueue(slots=2, limit=1)
    first, _, _ = (enter(queue) for _ in range(3))
    for refuse in (queue.check, queue.enter):
        with pytest.raises(FullError):
            refuse([CHAT])
    first.leave()
    queue.check([CHAT])
    enter(queue)


def test_nobody_waits_where_nobody_may() -> None:
    queue = AdmissionQueue(slots=1, limit=0)
    assert enter(queue).admitted
    with pytest.raises(FullError):
        enter(queue)


def test_leaving_twice_frees_one_place() -> None:
    queue = AdmissionQueue(slots=1, limit=5)
    first, second, third = (enter(queue) for _ in range(3))
    second.leave()
    first.leave()
    first.leave()
    assert third.admitted
    assert (queue.running, queue.waiting) == (1, 0)


def test_several_enter_together_or_not_at_all() -> None:
    queue = AdmissionQueue(slots=1, limit=2)
    with pytest.raises(FullError):
        queue.enter([CHAT] * 4)
    assert (queue.running, queue.waiting) == (0, 0)
    queue.enter([CHAT] * 3)
    assert (queue.running, queue.waiting) == (1, 2)


def test_infills_have_a_place_of_their_own_and_leave_the_slots_to_chats() -> None:
    queue = AdmissionQueue(slots=1, limit=5, reserved=1)
    infill, chat = enter(queue, INFILL), enter(queue)
    assert infill.admitted
    assert chat.admitted
    second_chat, second_infill = enter(queue), enter(queue, INFILL)
    infill.leave()
    assert second_infill.admitted
    assert not second_chat.admitted


def test_an_infill_overtakes_chats_but_not_those_that_wait_long() -> None:
    clock = Clock()
    queue = AdmissionQueue(slots=1, limit=5, clock=clock)
    running, old = enter(queue), enter(queue)
    clock.now += HEAD_START_SECONDS + 1
    young, infill = enter(queue), enter(queue, INFILL)
    order = []
    for leaving in (running, old, infill):
        leaving.leave()
        order.append([ticket.admitted for ticket in (old, infill, young)])
    assert order == [[True, False, False], [True, True, False], [True, True, True]]


def test_chats_do_not_starve_beside_infills_without_end() -> None:
    clock = Clock()
    queue = AdmissionQueue(slots=1, limit=5, reserved=1, clock=clock)
    infills = [enter(queue, INFILL) for _ in range(2)]
    chat = enter(queue)
    for _ in range(5):
        clock.now += HEAD_START_SECONDS / 2
        infills.append(enter(queue, INFILL))
        infills.pop(0).leave()
    assert chat.admitted


def test_a_queue_full_of_chats_still_takes_infills() -> None:
    queue = AdmissionQueue(slots=1, limit=1)
    enter(queue)
    enter(queue)
    enter(queue, INFILL)
    for priority in (INFILL, CHAT):
        with pytest.raises(FullError):
            enter(queue, priority)
