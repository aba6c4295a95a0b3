"""What is said of a download that is under way."""

import io
import json
from typing import Any

from codemodel_delivery.fetch.progress import JsonProgress, TerminalProgress

MIB = 1 << 20


class Clock:
    """Seconds, as told."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def lines(out: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in out.getvalue().splitlines()]


def test_the_first_the_last_and_one_line_in_a_second() -> None:
    out, clock = io.StringIO(), Clock()
    progress = JsonProgress(out, clock=clock)
    for done in range(25):
        progress.bytes(done, 24)
        clock.now += 0.125
    progress.event("fetched", "fetched it")
    said = lines(out)
    assert [line.get("bytes") for line in said] == [0, 8, 16, 24, None]
    assert (said[1]["total"], said[1]["percent"]) == (24, 33.3)


def test_the_last_bytes_are_told_before_what_happened_then() -> None:
    out, clock = io.StringIO(), Clock()
    progress = JsonProgress(out, clock=clock)
    progress.bytes(10, None)
    progress.bytes(20, None)
    progress.event("retry", "the connection broke off")
    progress.event("failed", "again")
    assert [(line["event"], line.get("bytes")) for line in lines(out)] == [
        ("progress", 10), ("progress", 20), ("retry", None), ("failed", None),
    ]  # fmt: skip
    assert lines(out)[0]["percent"] is None


def test_a_terminal_shows_rate_and_time_left() -> None:
    out, clock = io.StringIO(), Clock()
    progress = TerminalProgress(out, clock=clock)
    progress.bytes(0, 100 * MIB)
    clock.now += 2
    progress.bytes(10 * MIB, 100 * MIB)
    assert out.getvalue().rpartition("\x1b[K")[2] == "10.0 of 100.0 MiB (10 %), 5.0 MiB/s, 0:18 left"


def test_the_rate_is_that_of_the_last_seconds() -> None:
    out, clock = io.StringIO(), Clock()
    progress = TerminalProgress(out, clock=clock)
    for done in [0, *range(1000, 1050)]:
        progress.bytes(done * MIB, 10_000 * MIB)
        clock.now += 1
    assert out.getvalue().endswith("1.0 MiB/s, 2:29:11 left")


def test_no_rate_is_made_up_when_a_download_goes_on_or_begins_anew() -> None:
    out, clock = io.StringIO(), Clock()
    progress = TerminalProgress(out, clock=clock)
    progress.bytes(10 * MIB, None)
    clock.now += 1
    progress.bytes(20 * MIB, None)
    progress.event("retry", "trying again in 30 s")
    clock.now += 30
    progress.bytes(20 * MIB, None)
    assert out.getvalue().endswith("\x1b[K20.0 MiB")
    clock.now += 1
    progress.bytes(1 * MIB, None)
    assert out.getvalue().endswith("\x1b[K1.0 MiB")
