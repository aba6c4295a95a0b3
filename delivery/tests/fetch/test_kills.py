"""codemodel-fetch killed anywhere: what is under the final name is complete and right, or nothing is."""

import hashlib
import itertools
import random
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from delivery.tests.fetch.fetcher import Fetcher
from delivery.tests.fetch.hub import MODEL, SHA256, Handler, Hub, hold_after, running, whole
from delivery.tests.fetch.processes import Limits, fetching

_KILLS = 50
_MIB = 1 << 20


@pytest.mark.parametrize("seed", range(4))
def test_two_hundred_kills_while_bytes_come(fetcher: Fetcher, tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    content = b"GGUF" + chance.randbytes(24 * _MIB)
    digest = hashlib.sha256(content).hexdigest()
    sent = threading.Semaphore(0)
    # All together are less than the file, so that each process is killed before its end.
    sizes = [chance.randrange(len(content) // _KILLS) for _ in range(_KILLS)]
    with running(Hub(*(hold_after(size, sent.release) for size in sizes), whole)) as hub:
        hub.content = content
        for number in range(_KILLS):
            with fetching(fetcher.path, tmp_path / f"log{number}", "--sha256", digest, hub.url) as process:
                assert sent.acquire(timeout=30)
                process.kill()
            assert not fetcher.path.exists()
        assert fetcher.fetch(hub.url, digest)
    assert fetcher.path.read_bytes() == content
    assert fetcher.leftovers() == []
    ranges = [request["range"] for request in hub.requests if "range" in request]
    starts = [int(wanted.removeprefix("bytes=").removesuffix("-")) for wanted in ranges]
    # What was on disk is never asked for again; what a killed process had not written yet is.
    assert len(ranges) > _KILLS / 2
    assert starts == sorted(starts)
    assert starts[-1] > _MIB, ranges


def steps() -> Iterator[int]:
    """1, 2, 3 and so on; a process that takes fewer steps ends the test before."""
    return itertools.takewhile(lambda step: step < 200, itertools.count(1))


def test_killed_before_each_change_of_a_folder(tmp_path: Path) -> None:
    for step in steps():
        fetcher = Fetcher(tmp_path / str(step))
        with running(Hub(whole)) as hub:
            arguments = ("--sha256", SHA256, hub.url)
            log = tmp_path / f"log{step}"
            with fetching(fetcher.path, log, *arguments, limits=Limits(killed_at=step)) as process:
                status = process.ended()
            if status == 0:
                break
            assert status == -signal.SIGKILL
            assert not fetcher.path.exists() or fetcher.path.read_bytes() == MODEL
            sizes = [file.stat().st_size for file in (fetcher.path, fetcher.partial) if file.exists()]
            asked = len(hub.requests)
            fetcher.fetch(hub.url, SHA256)
            # Once all bytes are here, they are not asked for again.
            assert len(hub.requests) == asked + (len(MODEL) not in sizes)
        assert fetcher.path.read_bytes() == MODEL
        assert fetcher.leftovers() == []
    assert step > 10


def test_a_model_that_is_replaced_never_passes_for_the_one_before(tmp_path: Path) -> None:
    """Another model of the same size, fetched to the same place, by a process that is killed at each of its steps."""

    def other(hub: Hub, handler: Handler) -> None:
        hub.content = b"GGUF" + bytes(reversed(MODEL[4:]))
        hub.etag = '"other"'
        whole(hub, handler)

    for step in steps():
        fetcher = Fetcher(tmp_path / str(step))
        with running(Hub(whole)) as hub, running(Hub(other)) as second:
            fetcher.fetch(hub.url, SHA256)
            log = tmp_path / f"log{step}"
            with fetching(fetcher.path, log, second.url, limits=Limits(killed_at=step)) as process:
                status = process.ended()
            assert fetcher.path.read_bytes() in {MODEL, second.content}
            if status == 0:
                break
            fetcher.fetch(hub.url)
        assert fetcher.path.read_bytes() == MODEL
    assert step > 10
