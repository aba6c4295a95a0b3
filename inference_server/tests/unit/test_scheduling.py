"""The queue: in order, bounded, and no place lost."""

import pytest

from codemodel_server.scheduling import AdmissionQueue, FullError


def test_tickets_are_admitted_in_order() -> None:
    queue = AdmissionQueue(slots=1, limit=5)
    tickets = [queue.enter() for _ in range(4)]
    for index, ticket in enumerate(tickets):
        assert [other.admitted.is_set() for other in tickets[index:]] == [True] + [False] * (3 - index)
        ticket.leave()
    assert (queue.running, queue.waiting) == (0, 0)


def test_no_more_wait_than_may() -> None:
    queue = AdmissionQueue(slots=2, limit=1)
    first, _, _ = (queue.enter() for _ in range(3))
    with pytest.raises(FullError):
        queue.enter()
    first.leave()
    queue.enter()


def test_nobody_waits_where_nobody_may() -> None:
    queue = AdmissionQueue(slots=1, limit=0)
    assert queue.enter().admitted.is_set()
    with pytest.raises(FullError):
        queue.enter()


def test_leaving_twice_frees_one_place() -> None:
    queue = AdmissionQueue(slots=1, limit=5)
    first, second, third = (queue.enter() for _ in range(3))
    second.leave()
    first.leave()
    first.leave()
    assert third.admitted.is_set()
    assert (queue.running, queue.waiting) == (1, 0)
