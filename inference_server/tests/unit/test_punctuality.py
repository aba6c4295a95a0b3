"""How long clients may take, with a clock that is told."""

import socket
from collections.abc import Iterator

import pytest

from codemodel_server.punctuality import Deadlines

Pair = tuple[socket.socket, socket.socket]


@pytest.fixture
def pair() -> Iterator[Pair]:
    """The server's end of a connection, and the client's."""
    ours, theirs = socket.socketpair()
    theirs.settimeout(10)
    with ours, theirs:
        yield ours, theirs


class Time:
    now = 0.0


def made(how: int) -> Deadlines:
    """Those of a clock that begins at 0."""
    Time.now = 0.0
    return Deadlines(how, lambda: Time.now)


def test_whoever_takes_too_long_to_send_is_not_read_any_more_and_still_answered(pair: Pair) -> None:
    ours, theirs = pair
    deadlines = made(socket.SHUT_RD)
    deadlines.begin(ours, 30)
    Time.now = 29.9
    deadlines.look()
    theirs.sendall(b"a")
    assert ours.recv(9) == b"a"
    Time.now = 30.0
    deadlines.look()
    assert ours.recv(9) == b""
    ours.sendall(b"408")
    assert theirs.recv(9) == b"408"


def test_whoever_takes_too_long_to_take_an_answer_gets_no_more_of_it(pair: Pair) -> None:
    ours, theirs = pair
    deadlines = made(socket.SHUT_RDWR)
    deadlines.begin(ours, 660)
    Time.now = 660.0
    deadlines.look()
    with pytest.raises(BrokenPipeError):
        ours.sendall(b"x")
    assert theirs.recv(9) == b""


@pytest.mark.parametrize("again", [True, False])
def test_what_has_come_in_time_is_left_alone(pair: Pair, again: bool) -> None:
    ours, theirs = pair
    deadlines = made(socket.SHUT_RD)
    deadlines.begin(ours, 30)
    Time.now = 20.0
    if again:
        deadlines.begin(ours, 60)
    else:
        deadlines.met(ours)
        deadlines.met(ours)
        deadlines.met(None)
    Time.now = 50.0
    deadlines.look()
    theirs.sendall(b"a")
    assert ours.recv(9) == b"a"


def test_whoever_has_left_is_no_trouble(pair: Pair) -> None:
    ours, _ = pair
    deadlines = made(socket.SHUT_RDWR)
    deadlines.begin(ours, 1)
    ours.close()
    Time.now = 2.0
    deadlines.look()
