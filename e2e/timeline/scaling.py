"""Whether an autoscaler did what it should, judged from a timeline. Pure.

The bounds come from how the autoscaler works (Kubernetes' horizontal controller and metrics-server): metrics-server
measures every 15 s, and a value covers the time since the measurement before; the autoscaler looks every 15 s, so
the rule "as high as the highest recommendation of the window" moves in steps of 15 s.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from e2e.timeline.entries import MARK, Entry, Step, steps

LOAD_BEGINS = "load-begins"
LOAD_ENDS = "load-ends"

SYNC_SECONDS = 15
"""The autoscaler looks this often (kube-controller-manager's default)."""

SCRAPE_SECONDS = 15
"""metrics-server measures this often."""

TOLERANCE = 0.1
"""A use this near to the target changes nothing (kube-controller-manager's default)."""

_SLACK_SECONDS = 15
"""What a busy machine with two cores may add to the sum of the intervals."""

_DELIVERY_SECONDS = 2
"""Difference of delay by which two watches may deliver what happened."""

UP_SECONDS = 2 * SCRAPE_SECONDS + SYNC_SECONDS + _SLACK_SECONDS
"""From the load's begin until more replicas are asked for: the first value that covers only load, then a look."""


def down_seconds(cooldown: int) -> int:
    """Return the seconds from the load's end until the least replicas are asked for, at most.

    The last value that covers any load, then the cooldown in looks of 15 s, then one look more.
    """
    return 2 * SCRAPE_SECONDS + SYNC_SECONDS + cooldown + 2 * SYNC_SECONDS + _SLACK_SECONDS


@dataclass(frozen=True)
class Expectation:
    """What a load should do to a CodeModel."""

    name: str
    cooldown: int
    """scaleDownCooldownSeconds."""

    least: int = 1
    """minReplicas: where it starts and where it should end."""


def violations(entries: Sequence[Entry], expected: Expectation) -> list[str]:
    """Return everything that the timeline shows and should not, in words; empty when all is well."""
    marks = {entry.name: entry.at for entry in entries if entry.kind == MARK}
    begin, end = marks[LOAD_BEGINS], marks[LOAD_ENDS]
    changes = steps(entries, "Deployment", expected.name, "replicas")
    return [
        *_before(changes, begin),
        *_up(changes, begin),
        *_held(changes, begin, end),
        *_down(changes, end, expected),
        *_stabilized(entries, changes, end, expected),
        *_told(entries, expected.name),
    ]


def _before(changes: list[Step], begin: float) -> list[str]:
    return [_says(step, begin, "changed before the load began") for step in changes if step.at < begin]


def _up(changes: list[Step], begin: float) -> list[str]:
    first = next((step for step in changes if step.at >= begin and step.after > step.before), None)
    if first is None:
        return ["never scaled up"]
    if first.at - begin > UP_SECONDS:
        return [_says(first, begin, f"scaled up later than {UP_SECONDS} s after the load began")]
    return []


def _held(changes: list[Step], begin: float, end: float) -> list[str]:
    lower = [step for step in changes if begin <= step.at <= end and step.after < step.before]
    return [_says(step, begin, "scaled down while the load held") for step in lower]


def _down(changes: list[Step], end: float, expected: Expectation) -> list[str]:
    lower = [step for step in changes if step.at > end and step.after < step.before]
    if not lower or lower[-1].after != expected.least:
        return [f"never came back to {expected.least}"]
    again = [step for step in changes if step.at > lower[0].at and step.after > step.before]
    found = [_says(step, end, "scaled up again after the load's end") for step in again]
    # The last look under load may lie up to one interval before its end, and the window counts from that look.
    if lower[0].at - end < expected.cooldown - SYNC_SECONDS:
        found.append(_says(lower[0], end, f"scaled down earlier than the cooldown of {expected.cooldown} s"))
    if lower[-1].at - end > (limit := down_seconds(expected.cooldown)):
        found.append(_says(lower[-1], end, f"came back later than {limit} s after the load's end"))
    return found


def _stabilized(
    entries: Sequence[Entry], changes: list[Step], end: float, expected: Expectation
) -> list[str]:
    """The exact form of the cooldown: nothing is removed so long as the window holds a look that said to keep it."""
    first = next((step for step in changes if step.at > end and step.after < step.before), None)
    if first is None:
        return []
    high = [entry.at for entry in entries if entry.at < first.at and _keeps(entry, expected.name)]
    if high and first.at - high[-1] < expected.cooldown - _DELIVERY_SECONDS:
        return [
            _says(
                first, high[-1], f"scaled down within {expected.cooldown} s of a use that needed all replicas"
            )
        ]
    return []


def _keeps(entry: Entry, name: str) -> bool:
    """Whether this look at the metrics recommends at least the replicas that there are."""
    if (entry.kind, entry.name) != ("HorizontalPodAutoscaler", name):
        return False
    current, use, target = (entry.facts.get(fact) for fact in ("current", "utilization", "target"))
    if not current or use is None or not target or current == 1:
        return False
    ratio = use / target
    return bool(abs(ratio - 1) <= TOLERANCE or math.ceil(current * ratio) >= current)


def _told(entries: Sequence[Entry], name: str) -> list[str]:
    about = f"HorizontalPodAutoscaler/{name}"
    told = any(
        entry.facts.get("reason") == "SuccessfulRescale" and entry.facts.get("about") == about
        for entry in entries
        if entry.kind == "Event"
    )
    return [] if told else ["no SuccessfulRescale event"]


def _says(step: Step, since: float, problem: str) -> str:
    return f"{step.before} → {step.after} at {step.at - since:+.1f} s: {problem}"
