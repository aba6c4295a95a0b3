"""The history of the number of replicas, as the status keeps it. Pure functions."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from .api.status import CodeModelStatus, ScaleEvent, ScalingStatus
from .cluster import Manifest
from .diagnosis import capitalised
from .pods import alive, ready_since
from .world import World, desired_replicas, suspended

MOST_EVENTS = 20
"""So many are kept: a status is read and written as a whole."""

_FORMAT = "%Y-%m-%dT%H:%M:%SZ"


def rescaled(world: World, before: CodeModelStatus) -> bool:
    """Tell whether the number of replicas that are wanted changed since the stored status."""
    was, to = before.desired_replicas, desired_replicas(world)
    # Without a Deployment, as yet or again, it is 0 although nobody wanted that.
    meant = (was or _was_suspended(before)) and (to or suspended(world))
    return bool(meant) and was != to


def rescale_reason(events: Iterable[Manifest]) -> str | None:
    """Return why the autoscaler last changed something, from the Kubernetes Events about it; None when none tells."""
    told = [event for event in events if event.get("reason") == "SuccessfulRescale"]
    newest: Manifest = max(told, key=lambda event: str(event.get("lastTimestamp") or ""), default={})
    # "New size: 3; reason: cpu resource utilization (percentage of request) above target"
    _, _, reason = (newest.get("message") or "").partition("reason: ")
    return reason or None


def timeline(world: World, before: CodeModelStatus, now: datetime) -> ScalingStatus | None:
    """Return the history with what happened since the stored status; None while nothing ever did."""
    events = list(_events(before))
    if rescaled(world, before):
        events.append(_event(world, before, events[-1].time if events else "", now))
    ready = sorted(_time(since) for pod in alive(world.pods) if (since := ready_since(pod)))
    # What came before fewer replicas were wanted never became ready, and no longer can.
    for index in range(len(events) - 1, -1, -1):
        event = events[index]
        if event.to < event.from_:
            break
        if event.ready_after_seconds is None and len(ready) >= event.to:
            seconds = (ready[event.to - 1] - _time(event.time)).total_seconds()
            events[index] = event.model_copy(update={"ready_after_seconds": max(0, round(seconds))})
    return ScalingStatus(events=tuple(events[-MOST_EVENTS:])) if events else None


@dataclass(frozen=True)
class Advance:
    """What a new status says of a change that the stored one did not."""

    event: ScaleEvent
    happened: bool
    """The change itself is new."""

    ready_after_seconds: int | None
    """Until all its replicas were Ready; None when that is not new, or not yet so."""


def advances(before: CodeModelStatus, after: CodeModelStatus) -> list[Advance]:
    """Return what is new in the history, the oldest first."""
    known = {(event.time, event.to): event.ready_after_seconds for event in _events(before)}
    found = []
    for event in _events(after):
        key = event.time, event.to
        ready = event.ready_after_seconds if known.get(key) is None else None
        found.append(Advance(event, key not in known, ready))
    return [one for one in found if one.happened or one.ready_after_seconds is not None]


def _events(status: CodeModelStatus) -> tuple[ScaleEvent, ...]:
    return status.scaling.events if status.scaling else ()


def _was_suspended(before: CodeModelStatus) -> bool:
    scaled = before.condition("Scaled")
    return scaled is not None and scaled.reason == "Suspended"


def _event(world: World, before: CodeModelStatus, last: str, now: datetime) -> ScaleEvent:
    autoscaler = world.child("HorizontalPodAutoscaler", "status")
    to = desired_replicas(world)
    stamp = now.strftime(_FORMAT)
    if suspended(world) or not before.desired_replicas:
        reason = f"The spec says suspend: {str(suspended(world)).lower()}"
        return ScaleEvent(time=stamp, from_=before.desired_replicas, to=to, reason=reason)
    # When the operator was away, it is late; the autoscaler knows when it was.
    when = autoscaler.get("lastScaleTime") or ""
    return ScaleEvent(
        time=when if last < when <= stamp else stamp,
        from_=before.desired_replicas,
        to=to,
        reason=capitalised(world.rescale or "The autoscaler gave no reason"),
        metric=_measured(world),
    )


def _measured(world: World) -> str | None:
    """Return the metrics that the autoscaler looked at with what it aims at, such as "cpu 143 % of 70 %"."""
    wanted = world.child("HorizontalPodAutoscaler", "spec").get("metrics") or []
    found = world.child("HorizontalPodAutoscaler", "status").get("currentMetrics") or []
    told = [
        f"{now['name']} {now['current']['averageUtilization']} % of {aim['target'].get('averageUtilization')} %"
        for now, aim in ((_resource(now), _resource(aim)) for now, aim in zip(found, wanted, strict=False))
        if now.get("current", {}).get("averageUtilization") is not None and aim
    ]
    return ", ".join(told) or None


def _resource(metric: Mapping[str, Any]) -> Mapping[str, Any]:
    return metric.get("resource") or {}


def _time(stamp: str) -> datetime:
    return datetime.strptime(stamp, _FORMAT).replace(tzinfo=UTC)
