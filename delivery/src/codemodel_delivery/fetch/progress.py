"""Says how a download gets on: a line that renews itself for people, JSON lines for logs."""

import datetime
import json
import time
from collections import deque
from collections.abc import Callable
from typing import Any, Protocol, TextIO

_MIB = 1 << 20
_WINDOW_SECONDS = 10.0


class Progress(Protocol):
    """Told about everything that happens."""

    def event(self, name: str, message: str, **fields: Any) -> None:
        """Something happened that is worth a line."""
        ...

    def bytes(self, done: int, total: int | None) -> None:
        """So many bytes of so many (None: unknown) are here; called often."""
        ...


class JsonProgress:
    """One JSON object a line; of the bytes, the first, the last and one line in an interval.

    Args:
        out: where to write.
        interval: seconds between two lines about bytes.
        clock: seconds, monotonic.
    """

    def __init__(
        self, out: TextIO, interval: float = 1.0, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._out = out
        self._interval = interval
        self._clock = clock
        self._last: float | None = None
        self._unsaid: tuple[int, int | None] | None = None

    def event(self, name: str, message: str, **fields: Any) -> None:
        """Writes a line, after one about the bytes that came since the last one about bytes."""
        self._say_bytes()
        self._write(name, message, fields)

    def bytes(self, done: int, total: int | None) -> None:
        """Writes a line if it is the first, or the last one is old enough."""
        self._unsaid = done, total
        now = self._clock()
        if self._last is None or now - self._last >= self._interval:
            self._last = now
            self._say_bytes()

    def _say_bytes(self) -> None:
        if self._unsaid is None:
            return
        done, total = self._unsaid
        self._unsaid = None
        percent = round(100 * done / total, 1) if total else None
        self._write("progress", _describe(done, total), {"bytes": done, "total": total, "percent": percent})

    def _write(self, name: str, message: str, fields: dict[str, Any]) -> None:
        now = datetime.datetime.now(datetime.UTC).isoformat(timespec="milliseconds")
        line = json.dumps({"time": now, "event": name, "message": message, **fields})
        print(line, file=self._out, flush=True)


class TerminalProgress:
    """A line that is written over, with the rate and the time that is left.

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
        # When how many bytes were there, for the rate of the last seconds.
        self._seen: deque[tuple[float, int]] = deque()

    def event(self, name: str, message: str, **fields: Any) -> None:  # noqa: ARG002
        """Writes a line that stays."""
        # A pause, a download that begins anew: what came before says nothing of the rate from here.
        self._seen.clear()
        print(f"\r\x1b[K{message}", file=self._out, flush=True)

    def bytes(self, done: int, total: int | None) -> None:
        """Renews the line if it is old enough."""
        now = self._clock()
        if self._seen and now - self._seen[-1][0] < self._interval:
            return
        if self._seen and done < self._seen[-1][1]:
            self._seen.clear()
        self._seen.append((now, done))
        while now - self._seen[0][0] > _WINDOW_SECONDS and len(self._seen) > 2:
            self._seen.popleft()
        text = _describe(done, total) + self._describe_rate(total)
        print(f"\r\x1b[K{text}", end="", file=self._out, flush=True)

    def _describe_rate(self, total: int | None) -> str:
        (since, before), (now, done) = self._seen[0], self._seen[-1]
        if now <= since or done <= before:
            return ""
        rate = (done - before) / (now - since)
        text = f", {rate / _MIB:.1f} MiB/s"
        if total:
            text += f", {_describe_seconds((total - done) / rate)} left"
        return text


def _describe(done: int, total: int | None) -> str:
    if not total:
        return f"{done / _MIB:.1f} MiB"
    return f"{done / _MIB:.1f} of {total / _MIB:.1f} MiB ({100 * done / total:.0f} %)"


def _describe_seconds(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
