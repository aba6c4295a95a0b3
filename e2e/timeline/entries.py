"""The entries of a timeline. Pure."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

MARK = "Mark"
"""Kind of the entries that whoever records makes himself, such as the begin of a load."""


@dataclass(frozen=True)
class Entry:
    """One object seen in a new state, or one mark."""

    at: float
    """When the watch delivered it (Unix time, seconds)."""

    kind: str
    name: str
    change: str
    """ADDED, MODIFIED or DELETED."""

    facts: dict[str, Any] = field(default_factory=dict)
    """What :func:`e2e.timeline.facts.facts_of` keeps of the object."""


@dataclass(frozen=True)
class Change:
    """A number that changed."""

    at: float
    before: int
    after: int


def changes(entries: Iterable[Entry], kind: str, name: str, fact: str) -> list[Change]:
    """Return the changes of one number of one object, oldest first. Its first value is no change."""
    found: list[Change] = []
    last: int | None = None
    for entry in entries:
        value = entry.facts.get(fact)
        if (entry.kind, entry.name) != (kind, name) or value is None:
            continue
        if last is not None and value != last:
            found.append(Change(entry.at, last, value))
        last = value
    return found


def with_neighbours(found: Sequence[Change]) -> Iterable[tuple[Change | None, Change, Change | None]]:
    """Return each change together with the one before and the one after it."""
    before, after = (None, *found), (*found[1:], None)
    return zip(before, found, after, strict=False)


def to_json_lines(entries: Iterable[Entry]) -> str:
    """Return one JSON object a line."""
    return "".join(json.dumps(asdict(entry), ensure_ascii=False) + "\n" for entry in entries)
