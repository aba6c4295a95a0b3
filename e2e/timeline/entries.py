"""The entries of a timeline. Pure."""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from typing import Any

MARK = "Mark"
"""Kind of the entries that a test makes itself, such as the begin of a load."""


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
    """What :func:`facts_of` keeps of the object."""


@dataclass(frozen=True)
class Step:
    """A number that changed."""

    at: float
    before: int
    after: int


def facts_of(manifest: dict[str, Any]) -> dict[str, Any]:
    """Return what matters for a timeline of a HorizontalPodAutoscaler, Deployment, Pod or Event."""
    spec, status = manifest.get("spec") or {}, manifest.get("status") or {}
    match manifest["kind"]:
        case "HorizontalPodAutoscaler":
            return {
                "current": status.get("currentReplicas"),
                "desired": status.get("desiredReplicas"),
                "utilization": utilization(manifest),
                "target": spec["metrics"][0]["resource"]["target"]["averageUtilization"],
                "active": _condition(status, "ScalingActive"),
            }
        case "Deployment":
            return {
                "replicas": spec.get("replicas"),
                "ready": status.get("readyReplicas") or 0,
                "generation": manifest["metadata"]["generation"],
            }
        case "Pod":
            return {
                "phase": status.get("phase"),
                "initialized": _condition(status, "Initialized") == "True",
                "ready": _condition(status, "Ready") == "True",
                "restarts": sum(c["restartCount"] for c in status.get("containerStatuses") or []),
                "deleting": "deletionTimestamp" in manifest["metadata"],
            }
        case "Event":
            about = manifest["involvedObject"]
            return {
                "about": f"{about['kind']}/{about['name']}",
                "reason": manifest.get("reason"),
                "message": manifest.get("message"),
                "count": manifest.get("count"),
            }
        case other:
            raise ValueError(f"a timeline has no facts for {other}")


def utilization(autoscaler: dict[str, Any]) -> int | None:
    """Return the CPU use, in percent of the request, that the autoscaler last saw; None when it saw none."""
    for metric in (autoscaler.get("status") or {}).get("currentMetrics") or []:
        current = (metric.get("resource") or {}).get("current") or {}
        if current.get("averageUtilization") is not None:
            return int(current["averageUtilization"])
    return None


def steps(entries: Iterable[Entry], kind: str, name: str, fact: str) -> list[Step]:
    """Return the changes of one number of one object, oldest first. Its first value is no change."""
    found: list[Step] = []
    last: int | None = None
    for entry in entries:
        value = entry.facts.get(fact)
        if (entry.kind, entry.name) != (kind, name) or value is None:
            continue
        if last is not None and value != last:
            found.append(Step(entry.at, last, value))
        last = value
    return found


def to_json_lines(entries: Iterable[Entry]) -> str:
    """Return one JSON object a line."""
    return "".join(json.dumps(asdict(entry), ensure_ascii=False) + "\n" for entry in entries)


def _condition(status: dict[str, Any], kind: str) -> str | None:
    return next((c["status"] for c in status.get("conditions") or [] if c["type"] == kind), None)
