"""A download goes on where another process was stopped."""

import fcntl
import json
import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from codemodel_delivery.fetch import errors
from codemodel_delivery.fetch.partial import Partial, Version
from delivery.tests.fetch.fetcher import Fetcher
from delivery.tests.fetch.hub import (
    MODEL,
    SHA256,
    Hub,
    changed,
    cut_after,
    hold_at,
    running,
    status,
    whole,
)
from inference_server.tests.support import eventually

# What a process may have read but not written when it is killed.
_IN_MEMORY = 1 << 16


def stopped(fetcher: Fetcher, hub: Hub, offset: int, number: signal.Signals) -> tuple[int, str]:
    """Starts codemodel-fetch and ends it when it is this far; returns its exit status and its log."""
    command = [sys.executable, "-m", "codemodel_delivery.fetch.cli", hub.url, str(fetcher.path)]
    environment = {"PYTHONPATH": ":".join(sys.path), "CODEMODEL_ALLOW_PRIVATE": "1"}
    asked = len(hub.requests) + 1
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        eventually(
            lambda: len(hub.requests) == asked and fetcher.partial.stat().st_size > offset - _IN_MEMORY,
            "under way",
        )
        process.send_signal(number)
        log, _ = process.communicate(timeout=30)
    return process.returncode, log


def test_killed_anywhere_and_complete_in_the_end(fetcher: Fetcher) -> None:
    offsets = sorted(random.Random(7).sample(range(len(MODEL)), 4))
    with running(Hub(*map(hold_at, offsets), whole)) as hub:
        for offset in offsets:
            stopped(fetcher, hub, offset, signal.SIGKILL)
            assert not fetcher.path.exists()
        assert fetcher.fetch(hub.url, SHA256)
    assert fetcher.path.read_bytes() == MODEL
    assert fetcher.leftovers() == []
    assert hub.requests[-1]["range"] > "bytes=0-"
    assert hub.sent < len(MODEL) + len(offsets) * _IN_MEMORY


@pytest.mark.parametrize(("number", "status"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_signal_ends_it_at_once_and_in_peace(fetcher: Fetcher, number: signal.Signals, status: int) -> None:
    with running(Hub(hold_at(300_000), whole)) as hub:
        ended, log = stopped(fetcher, hub, 300_000, number)
        assert fetcher.fetch(hub.url, SHA256)
    assert ended == status
    assert json.loads(log.splitlines()[-1])["event"] == "stopped"
    assert "Traceback" not in log
    assert int(hub.requests[1]["range"].removeprefix("bytes=").removesuffix("-")) > 300_000 - _IN_MEMORY


def broken_off(fetcher: Fetcher, hub: Hub) -> None:
    with pytest.raises((errors.NetworkFailed, errors.Unauthorized)):
        fetcher.fetch(hub.url)


def test_another_version_begins_again(fetcher: Fetcher) -> None:
    with running(Hub(cut_after(100_000), status(401), changed)) as hub:
        broken_off(fetcher, hub)
        assert fetcher.fetch(hub.url)
    assert fetcher.path.read_bytes() == hub.content != MODEL


@pytest.mark.parametrize("key", ["source", "boot"])
def test_bytes_of_another_source_or_from_before_a_crash_are_not_trusted(fetcher: Fetcher, key: str) -> None:
    with running(Hub(cut_after(100_000), status(401), whole)) as hub:
        broken_off(fetcher, hub)
        note = fetcher.partial.with_name(f"{fetcher.partial.name}.json")
        note.write_text(json.dumps({**json.loads(note.read_text()), key: "another"}))
        assert fetcher.fetch(hub.url, SHA256)
    assert "range" not in hub.requests[-1]


def test_a_server_that_cannot_continue_leaves_nothing(fetcher: Fetcher) -> None:
    def nameless(hub: Hub, handler: object) -> None:
        hub.etag = ""
        cut_after(100_000)(hub, handler)  # type: ignore[arg-type]

    with running(Hub(nameless, status(401))) as hub:
        broken_off(fetcher, hub)
    assert fetcher.leftovers() == []


def test_what_is_complete_needs_no_request(fetcher: Fetcher) -> None:
    fetcher.path.parent.mkdir()
    with running(Hub(whole)) as hub:
        with Partial(fetcher.partial, hub.url) as partial:
            partial.restart(Version(total=len(MODEL), etag='"v1"', validator='"v1"'))
            partial.append(MODEL)
        assert fetcher.fetch(hub.url, SHA256)
    assert hub.requests == []


def test_parts_of_models_that_nobody_fetches_any_more_are_removed(fetcher: Fetcher) -> None:
    folder = fetcher.path.parent
    folder.mkdir()
    abandoned, busy = folder / ".old.gguf.part", folder / ".new.gguf.part"
    abandoned.touch()
    busy.touch()
    with Path(folder / ".new.gguf.lock").open("w") as lock, running(Hub(whole)) as hub:
        fcntl.flock(lock, fcntl.LOCK_EX)
        fetcher.fetch(hub.url)
    assert not abandoned.exists()
    assert busy.exists()
