"""Kubernetes Events, which `kubectl describe` shows. Ours: one a transition, never one a reconcile."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from .api import API_VERSION, KIND
from .api.codemodel import Owner
from .api.status import CodeModelStatus, Condition
from .cluster import FIELD_MANAGER, Manifest
from .scaling import advances


@dataclass(frozen=True)
class News:
    """What is worth an Event."""

    reason: str
    message: str
    warning: bool = False


def news(before: CodeModelStatus, after: CodeModelStatus) -> list[News]:
    """Return what the new status says that the stored one did not."""
    return [*_conditions(before, after), *_scaling(before, after)]


def _conditions(before: CodeModelStatus, after: CodeModelStatus) -> list[News]:
    """The Ready or Stalled conditions that say something new, at most one for the same reason."""
    found: dict[str, News] = {}
    for type_ in ("Stalled", "Ready"):
        now = after.condition(type_)
        stalls = type_ == "Stalled"
        if now and _changed(now, before) and (now.status == "True" or not stalls):
            found.setdefault(now.reason, News(now.reason, now.message, warning=stalls))
    return list(found.values())


def _changed(condition: Condition, before: CodeModelStatus) -> bool:
    old = before.condition(condition.type)
    return old is None or (old.status, old.reason) != (condition.status, condition.reason)


def _scaling(before: CodeModelStatus, after: CodeModelStatus) -> list[News]:
    found = []
    for advance in advances(before, after):
        event = advance.event
        change = f"from {event.from_} to {event.to} replicas"
        if advance.happened:
            measured = f" ({event.metric})" if event.metric else ""
            direction = "ScaledUp" if event.to > event.from_ else "ScaledDown"
            found.append(News(direction, f"Scaled {change}{measured}: {event.reason}"))
        if advance.ready_after_seconds is not None:
            after_seconds = f"{advance.ready_after_seconds} s after the step {change}"
            found.append(News("ScaleUpReady", f"{event.to} replicas answer, {after_seconds}"))
    return found


# They say what everybody waits for, and go on doing so after a failure.
_ROUTINE = {"FailedScheduling", "WaitForFirstConsumer", "ExternalProvisioning", "Provisioning"}


def complaint(events: Iterable[Manifest]) -> str | None:
    """Return what the newest of these Events warns of; None when it is no warning: older ones are settled."""
    telling = [event for event in events if event.get("reason") not in _ROUTINE]
    newest = max(telling, key=lambda event: (_time(event), event.get("type") == "Warning"), default={})
    return newest.get("message") or None if newest.get("type") == "Warning" else None


def _time(event: Manifest) -> str:
    return str(event.get("lastTimestamp") or event.get("eventTime") or event["metadata"]["creationTimestamp"])


def build_event(owner: Owner, told: News, now: datetime) -> Manifest:
    """Return the Event that tells it."""
    stamp = now.strftime("%Y-%m-%dT%H:%M:%SZ")
    return {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"generateName": f"{owner.name}.", "namespace": owner.namespace},
        "involvedObject": {
            "apiVersion": API_VERSION,
            "kind": KIND,
            "name": owner.name,
            "namespace": owner.namespace,
            "uid": owner.uid,
        },
        "type": "Warning" if told.warning else "Normal",
        "reason": told.reason[:128],
        "message": told.message[:1024],
        "source": {"component": FIELD_MANAGER},
        "firstTimestamp": stamp,
        "lastTimestamp": stamp,
        "count": 1,
    }
