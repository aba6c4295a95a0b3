"""The API server's audit log: who asked it for what."""

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

WRITES = ("create", "update", "patch", "delete", "deletecollection")


@dataclass(frozen=True)
class Entry:
    """One request that was answered."""

    user: str
    verb: str
    """As RBAC names it; one server-side apply that creates is a patch."""

    group: str
    resource: str
    """Plural, with its subresource: codemodels/status."""

    namespace: str
    name: str
    status: int
    """Of the answer, such as 200."""


class AuditLog:
    """Reads the log as it grows; for threads."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._offset = 0
        self._entries: list[Entry] = []
        self._lock = threading.Lock()

    def entries(self, wanted: Callable[[Entry], bool], since: int = 0) -> list[Entry]:
        """Return what was logged until now.

        Args:
            wanted: which of it.
            since: leave out so many of the first, see `length`.
        """
        with self._lock:
            self._read()
            return [entry for entry in self._entries[since:] if wanted(entry)]

    def length(self) -> int:
        """Return how many requests were logged until now."""
        with self._lock:
            self._read()
            return len(self._entries)

    def _read(self) -> None:
        with self._path.open("rb") as log:
            log.seek(self._offset)
            for line in log:
                if not line.endswith(b"\n"):
                    break
                self._offset += len(line)
                self._entries.extend(_parse(line))


def _parse(line: bytes) -> list[Entry]:
    event = json.loads(line)
    reference = event.get("objectRef")
    # A watch is logged when it begins and when it ends.
    if reference is None or (event["verb"] == "watch" and event["stage"] == "ResponseComplete"):
        return []
    parts = (reference["resource"], reference.get("subresource"))
    return [
        Entry(
            user=event["user"]["username"],
            verb=event["verb"],
            group=reference.get("apiGroup", ""),
            resource="/".join(filter(None, parts)),
            namespace=reference.get("namespace", ""),
            name=reference.get("name", ""),
            status=event["responseStatus"]["code"],
        )
    ]
