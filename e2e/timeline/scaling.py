"""Whether an autoscaler did what it should, judged from a timeline. Pure.

The bounds come from how the autoscaler works (Kubernetes' horizontal controller and metrics-server): metrics-server
measures every 15 s, and a value covers the time since the measurement before; the autoscaler looks every 15 s, so
the rule "as high as the highest recommendation of the window" moves in steps of 15 s.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from e2e.timeline.autoscaler import SYNC_SECONDS, recommendation
from e2e.timeline.entries import MARK, Change, Entry, changes

LOAD_BEGINS = "load-begins"
LOAD_ENDS = "load-ends"

SCRAPE_SECONDS = 15
"""metrics-server measures this often."""

_SLACK_SECONDS = 15
"""What a busy machine with two cores may add to the sum of the intervals."""

DELIVERY_SECONDS = 2
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

    most: int
    """maxReplicas: where the load should bring it."""

    least: int = 1
    """minReplicas: where it starts and where it should end."""


def violations(entries: Sequence[Entry], expected: Expectation) -> list[str]:
    """Return everything that the timeline shows and should not, in words; empty when all is well."""
    marks = {entry.name: entry.at for entry in entries if entry.kind == MARK}
    begin, end = marks[LOAD_BEGINS], marks[LOAD_ENDS]
    replicas = changes(entries, "Deployment", expected.name, "replicas")
    return [
        *_before(replicas, begin),
        *_up(replicas, begin, end, expected),
        *_held(replicas, begin, end),
        *_down(replicas, end, expected),
        *_stabilized(entries, replicas, end, expected),
        *_told(entries, expected.name),
    ]


def _before(changes: list[Change], begin: float) -> list[str]:
    return [_says(step, begin, "changed before the load began") for step in changes if step.at < begin]


def _up(changes: list[Change], begin: float, end: float, expected: Expectation) -> list[str]:
    first = next((step for step in changes if step.at >= begin and step.after > step.before), None)
    if first is None:
        return ["never scaled up"]
    if first.at - begin > UP_SECONDS:
        return [_says(first, begin, f"scaled up later than {UP_SECONDS} s after the load began")]
    highest = max((change.after for change in changes if change.at <= end), default=expected.least)
    if highest != expected.most:
        return [f"reached {highest} replicas under load, not {expected.most}"]
    return []


def _held(changes: list[Change], begin: float, end: float) -> list[str]:
    lower = [step for step in changes if begin <= step.at <= end and step.after < step.before]
    return [_says(step, begin, "scaled down while the load held") for step in lower]


def _down(changes: list[Change], end: float, expected: Expectation) -> list[str]:
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
    entries: Sequence[Entry], changes: list[Change], end: float, expected: Expectation
) -> list[str]:
    """The exact form of the cooldown: nothing is removed so long as the window holds a look that said to keep it."""
    first = next((step for step in changes if step.at > end and step.after < step.before), None)
    if first is None:
        return []
    high = [entry.at for entry in entries if entry.at < first.at and _keeps(entry, expected.name)]
    if high and first.at - high[-1] < expected.cooldown - DELIVERY_SECONDS:
        return [
            _says(
                first, high[-1], f"scaled down within {expected.cooldown} s of a use that needed all replicas"
            )
        ]
    return []


def _keeps(entry: Entry, name: str) -> bool:
    """Whether this look at the metrics recommends at least the replicas that there are."""
    if (entry.kind, entry.name) != ("HorizontalPodAutoscaler", name) or entry.facts.get("current") == 1:
        return False
    recommended = recommendation(entry.facts)
    return recommended is not None and recommended >= entry.facts["current"]


def _told(entries: Sequence[Entry], name: str) -> list[str]:
    about = f"HorizontalPodAutoscaler/{name}"
    told = any(
        entry.facts.get("reason") == "SuccessfulRescale" and entry.facts.get("about") == about
        for entry in entries
        if entry.kind == "Event"
    )
    return [] if told else ["no SuccessfulRescale event"]


def _says(step: Change, since: float, problem: str) -> str:
    return f"{step.before} → {step.after} at {step.at - since:+.1f} s: {problem}"
