"""Says how a download gets on: a line that renews itself for people, JSON lines for logs."""

import datetime
import json
import time
from collections.abc import Callable
from typing import Any, Protocol, TextIO

_MIB = 1 << 20


class Progress(Protocol):
    """Told about everything that happens."""

    def event(self, name: str, message: str, **fields: Any) -> None:
        """Something happened that is worth a line."""
        ...

    def bytes(self, done: int, total: int | None) -> None:
        """So many bytes of so many (None: unknown) are here; called often."""
        ...


class JsonProgress:
    """One JSON object a line; of the bytes, one line in an interval.

    Args:
        out: where to write.
        interval: seconds between two lines about bytes.
        clock: seconds, monotonic.
    """

    def __init__(
        self, out: TextIO, interval: float = 2.0, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._out = out
        self._interval = interval
        self._clock = clock
        self._last = clock()

    def event(self, name: str, message: str, **fields: Any) -> None:
        """Writes a line."""
        now = datetime.datetime.now(datetime.UTC).isoformat(timespec="milliseconds")
        line = json.dumps({"time": now, "event": name, "message": message, **fields})
        print(line, file=self._out, flush=True)

    def bytes(self, done: int, total: int | None) -> None:
        """Writes a line if the last one is old enough."""
        if self._clock() - self._last >= self._interval:
            self._last = self._clock()
            percent = round(100 * done / total, 1) if total else None
            self.event("progress", _describe(done, total), bytes=done, total=total, percent=percent)


class TerminalProgress:
    """A line that is written over.

    Args:
        out: a terminal.
        interval: seconds between two states of the line.
        clock: seconds, monotonic.
    """

    def __init__(
        self, out: TextIO, interval: float = 0.2, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._out = out
        self._interval = interval
        self._clock = clock
        self._last = clock()

    def event(self, name: str, message: str, **fields: Any) -> None:  # noqa: ARG002
        """Writes a line that stays."""
        print(f"\r\x1b[K{message}", file=self._out, flush=True)

    def bytes(self, done: int, total: int | None) -> None:
        """Renews the line if it is old enough."""
        if self._clock() - self._last >= self._interval:
            self._last = self._clock()
            print(f"\r\x1b[K{_describe(done, total)}", end="", file=self._out, flush=True)


def _describe(done: int, total: int | None) -> str:
    if not total:
        return f"{done / _MIB:.1f} MiB"
    return f"{done / _MIB:.1f} of {total / _MIB:.1f} MiB ({100 * done / total:.0f} %)"
