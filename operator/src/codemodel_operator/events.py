"""Kubernetes Events, which `kubectl describe` shows. Ours: one a transition, never one a reconcile."""

from collections.abc import Iterable
from datetime import datetime

from .api import API_VERSION, KIND
from .api.codemodel import Owner
from .api.status import CodeModelStatus, Condition
from .cluster import FIELD_MANAGER, Manifest


def transitions(before: CodeModelStatus, after: CodeModelStatus) -> list[Condition]:
    """Return the Ready or Stalled conditions that now say something new, at most one for the same reason."""
    news: dict[str, Condition] = {}
    stalled = after.condition("Stalled")
    ready = after.condition("Ready")
    if stalled and stalled.status == "True" and _changed(stalled, before):
        news[stalled.reason] = stalled
    if ready and _changed(ready, before):
        news.setdefault(ready.reason, ready)
    return list(news.values())


def _changed(condition: Condition, before: CodeModelStatus) -> bool:
    old = before.condition(condition.type)
    return old is None or (old.status, old.reason) != (condition.status, condition.reason)


# They say what everybody waits for, and go on doing so after a failure.
_ROUTINE = {"FailedScheduling", "WaitForFirstConsumer", "ExternalProvisioning", "Provisioning"}


def complaint(events: Iterable[Manifest]) -> str | None:
    """Return what the newest of these Events warns of; None when it is no warning: older ones are settled."""
    telling = [event for event in events if event.get("reason") not in _ROUTINE]
    newest = max(telling, key=lambda event: (_time(event), event.get("type") == "Warning"), default={})
    return newest.get("message") or None if newest.get("type") == "Warning" else None


def _time(event: Manifest) -> str:
    return str(event.get("lastTimestamp") or event.get("eventTime") or event["metadata"]["creationTimestamp"])


def build_event(owner: Owner, condition: Condition, now: datetime) -> Manifest:
    """Return the Event that tells of a condition."""
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
        "type": "Warning" if condition.type == "Stalled" else "Normal",
        "reason": condition.reason[:128],
        "message": condition.message[:1024],
        "source": {"component": FIELD_MANAGER},
        "firstTimestamp": stamp,
        "lastTimestamp": stamp,
        "count": 1,
    }
