"""How load, replicas and metric went over time. Pure."""

import math
from bisect import bisect_right
from collections.abc import Sequence

from e2e.timeline.autoscaler import KIND, Value
from e2e.timeline.entries import Entry
from e2e.timeline.steps import Point

SECONDS = 5
"""Time between two points: a third of the interval in which the metric changes."""


def series(
    entries: Sequence[Entry], name: str, seen: Sequence[Value], sent: Sequence[float]
) -> tuple[Point, ...]:
    """Return points from the first to the last entry.

    Args:
        entries: a recording, oldest first.
        name: the CodeModel.
        seen: the values of its metric, oldest first.
        sent: when each request of the load was sent, in any order.
    """
    if not entries:
        return ()
    begin, sent = entries[0].at, sorted(sent)
    count = math.ceil((entries[-1].at - begin) / SECONDS)
    return tuple(
        _point(begin + number * SECONDS, entries, name, seen, sent) for number in range(1, count + 1)
    )


def _point(
    at: float, entries: Sequence[Entry], name: str, seen: Sequence[Value], sent: Sequence[float]
) -> Point:
    rate = (bisect_right(sent, at) - bisect_right(sent, at - SECONDS)) / SECONDS
    value = bisect_right(seen, at, key=lambda one: one.at)
    return Point(
        at=at,
        load_rps=rate if sent else None,
        desired=_last(entries, at, KIND, name, "desired"),
        replicas=_last(entries, at, "Deployment", name, "replicas"),
        ready=_last(entries, at, "Deployment", name, "ready"),
        metric=seen[value - 1].value if value else None,
    )


def _last(entries: Sequence[Entry], at: float, kind: str, name: str, fact: str) -> int | None:
    end = bisect_right(entries, at, key=lambda entry: entry.at)
    for entry in reversed(entries[:end]):
        if (entry.kind, entry.name) == (kind, name):
            return None if entry.facts[fact] is None else int(entry.facts[fact])
    return None
