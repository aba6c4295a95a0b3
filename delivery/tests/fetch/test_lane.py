"""Work in a thread of its own: in order, bounded, and its errors come out."""

import threading

import pytest

from codemodel_delivery.fetch.lane import Lane


def test_pieces_are_worked_on_in_their_order() -> None:
    seen: list[bytes] = []
    pieces = [bytes([number]) for number in range(100)]
    lane = Lane(seen.append)
    for piece in pieces:
        lane.put(piece)
    lane.wait()
    assert seen == pieces
    lane.close()


def put_many(lane: Lane) -> None:
    for _ in range(100):
        lane.put(b"x")


def test_an_error_comes_out_and_ends_the_work() -> None:
    seen: list[bytes] = []

    def fail(piece: bytes) -> None:
        seen.append(piece)
        raise OSError("full")

    lane = Lane(fail)
    with pytest.raises(OSError, match="full"):
        put_many(lane)
    with pytest.raises(OSError, match="full"):
        lane.wait()
    lane.close()
    assert seen == [b"x"]


def test_who_is_too_fast_waits() -> None:
    go_on, handed_over = threading.Event(), []
    lane = Lane(lambda _piece: go_on.wait(30))

    def bring() -> None:
        for number in range(20):
            lane.put(b"x")
            handed_over.append(number)

    bringing = threading.Thread(target=bring)
    bringing.start()
    bringing.join(0.2)
    assert len(handed_over) <= 8
    go_on.set()
    bringing.join(30)
    lane.close()
    assert len(handed_over) == 20
