"""How far a download is, from the lines that the init container writes: a pod needs no access to the API for it."""

import json
from dataclasses import dataclass

LOG_LINES = 20
"""Lines to look through: beside those about bytes there are some about retries."""

_STEPS = 100
_UNKNOWN_STEP = 64 << 20
_GIB = 1 << 30


@dataclass(frozen=True)
class Progress:
    """Bytes that are here, of so many; None when the server does not say how many there are."""

    bytes: int
    total: int | None

    @property
    def percent(self) -> int | None:
        """Whole percents that are here."""
        return 100 * self.bytes // self.total if self.total else None

    def __str__(self) -> str:
        """For people."""
        if self.total is None:
            return f"{self.bytes / _GIB:.2f} GiB"
        return f"{self.bytes / _GIB:.2f} of {self.total / _GIB:.2f} GiB ({self.percent} %)"


def parse_progress(log: str) -> Progress | None:
    """Return the last progress in a log, None when there is none.

    It is rounded down to whole percents: each change is a write to the API server.
    """
    for line in reversed(log.splitlines()):
        try:
            fields = json.loads(line)
        except ValueError:
            continue
        done, total = (fields.get("bytes"), fields.get("total")) if isinstance(fields, dict) else (None, None)
        if isinstance(done, int) and isinstance(total, int | None):
            step = max(1, total // _STEPS) if total else _UNKNOWN_STEP
            return Progress(done if done == total else done - done % step, total)
    return None
