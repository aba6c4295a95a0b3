"""Several pods of one node fetch the same model into the folder that they share."""

import threading
from contextlib import ExitStack
from pathlib import Path

import pytest

from delivery.tests.fetch.fetcher import Fetcher
from delivery.tests.fetch.hub import MODEL, SHA256, Handler, Hub, hold_at, running, whole
from delivery.tests.fetch.processes import Fetching, fetching
from inference_server.tests.support import eventually

HALF = len(MODEL) // 2


class Race:
    """A process that fetches, and others that wait for it."""

    def __init__(self, stack: ExitStack, fetcher: Fetcher, hub: Hub, folder: Path, processes: int) -> None:
        def start(number: int) -> Fetching:
            log = folder / f"log{number}"
            return stack.enter_context(fetching(fetcher.path, log, "--sha256", SHA256, hub.url))

        def half_is_here() -> bool:
            return fetcher.partial.exists() and fetcher.partial.stat().st_size == HALF

        self.writer = start(0)
        eventually(half_is_here, "half of it is here")
        self.others = [start(number) for number in range(1, processes)]
        eventually(lambda: all(other.says("waiting") for other in self.others), "the others wait")


@pytest.mark.parametrize("processes", [2, 4])
def test_the_file_is_sent_once(fetcher: Fetcher, tmp_path: Path, processes: int) -> None:
    go_on = threading.Event()

    def in_two_parts(hub: Hub, handler: Handler) -> None:
        hub.send(handler, 200, MODEL[:HALF], Content_Length=str(len(MODEL)))
        assert go_on.wait(30)
        handler.wfile.write(MODEL[HALF:])

    with running(Hub(in_two_parts)) as hub, ExitStack() as stack:
        race = Race(stack, fetcher, hub, tmp_path, processes)
        assert not fetcher.path.exists()
        go_on.set()
        assert [process.ended() for process in (race.writer, *race.others)] == [0] * processes
        assert race.writer.says("fetched")
        assert all(other.says("already-here") for other in race.others)
    assert len(hub.requests) == 1
    assert fetcher.path.read_bytes() == MODEL
    assert fetcher.leftovers() == []


@pytest.mark.parametrize("processes", [2, 4])
def test_one_of_those_who_wait_goes_on_for_a_writer_that_was_killed(
    fetcher: Fetcher, tmp_path: Path, processes: int
) -> None:
    with running(Hub(hold_at(HALF), whole)) as hub, ExitStack() as stack:
        race = Race(stack, fetcher, hub, tmp_path, processes)
        race.writer.kill()
        assert [other.ended() for other in race.others] == [0] * (processes - 1)
        assert sum(other.says("fetched") for other in race.others) == 1
        assert sum(other.says("resuming") for other in race.others) == 1
    assert [request.get("range") for request in hub.requests] == [None, f"bytes={HALF}-"]
    assert hub.sent == len(MODEL)
    assert fetcher.path.read_bytes() == MODEL
    assert fetcher.leftovers() == []


def test_a_writer_that_fails_lets_the_next_try(fetcher: Fetcher, tmp_path: Path) -> None:
    go_on = threading.Event()

    def not_a_model(hub: Hub, handler: Handler) -> None:
        hub.send(handler, 200, MODEL[:HALF], Content_Length=str(len(MODEL)))
        assert go_on.wait(30)
        handler.wfile.write(bytes(len(MODEL) - HALF))

    with running(Hub(not_a_model, whole)) as hub, ExitStack() as stack:
        race = Race(stack, fetcher, hub, tmp_path, 2)
        go_on.set()
        assert [race.writer.ended(), race.others[0].ended()] == [13, 0]
    assert fetcher.path.read_bytes() == MODEL
