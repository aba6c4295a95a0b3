"""A client that leaves is noticed, and only that one."""

import socket

from codemodel_server.cancellation import Cancellation
from codemodel_server.client import Departures


def test_a_client_that_leaves_cancels_its_request_and_no_other() -> None:
    watch = Departures().watch
    gone, there = Cancellation(), Cancellation()
    (here, far), (other, other_far) = socket.socketpair(), socket.socketpair()
    with here, other, other_far:
        stops = [
            watch({"gunicorn.socket": server}, cancellation)
            for server, cancellation in ((here, gone), (other, there))
        ]
        far.close()
        assert gone.wait(5)
        assert not there.cancelled
        for stop in (*stops, *stops):
            stop()


def test_a_client_that_leaves_after_its_request_cancels_nothing() -> None:
    watch = Departures().watch
    first, second, witness = Cancellation(), Cancellation(), Cancellation()
    here, far = socket.socketpair()
    with here:
        watch({"gunicorn.socket": here}, first)()
        # The same connection serves another request, which ends without a word.
        watch({"gunicorn.socket": here}, second)
        watch({"gunicorn.socket": here}, witness)
        far.close()
        assert witness.wait(5)
    assert not first.cancelled
    assert not second.cancelled


def test_without_a_socket_the_client_counts_as_there() -> None:
    cancellation = Cancellation()
    Departures().watch({}, cancellation)()
    assert not cancellation.cancelled


def test_those_who_subscribe_late_are_told_at_once() -> None:
    cancellation = Cancellation()
    told: list[str] = []
    cancellation.subscribe(lambda: told.append("early"))
    cancellation.cancel()
    cancellation.cancel()
    cancellation.subscribe(lambda: told.append("late"))
    assert told == ["early", "late"]
