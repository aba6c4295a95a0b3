"""What a timeline keeps of each object. Pure."""

from typing import Any

from kubernetes.utils.quantity import parse_quantity

Manifest = dict[str, Any]

_SOURCES = {
    "Resource": "resource",
    "ContainerResource": "containerResource",
    "Pods": "pods",
    "Object": "object",
    "External": "external",
}
"""Types of an autoscaler's metrics, and the field that describes one (autoscaling/v2)."""

_VALUES = {"Utilization": "averageUtilization", "AverageValue": "averageValue", "Value": "value"}
"""Types of a metric's target, and the field with its value."""

_UNITS = {"Utilization": "% of the request", "AverageValue": "per replica", "Value": "in all"}


def facts_of(manifest: Manifest) -> dict[str, Any]:
    """Return what matters for a timeline of an autoscaler, Deployment, Pod, PodMetrics or Event.

    Raises:
        ValueError: the object is of another kind.
    """
    match manifest["kind"]:
        case "HorizontalPodAutoscaler":
            return _autoscaler(manifest)
        case "Deployment":
            return {
                "replicas": manifest["spec"].get("replicas"),
                "ready": (manifest.get("status") or {}).get("readyReplicas") or 0,
                "generation": manifest["metadata"]["generation"],
            }
        case "Pod":
            return _pod(manifest)
        case "PodMetrics":
            # The stamp makes each measurement an entry of its own, also when nothing changed.
            usage = [container["usage"] for container in manifest["containers"]]
            return {
                "measured": manifest["timestamp"],
                "cpu_cores": sum(float(parse_quantity(one["cpu"])) for one in usage),
                "memory_bytes": sum(int(parse_quantity(one["memory"])) for one in usage),
            }
        case "Event":
            about = manifest["involvedObject"]
            return {
                "about": f"{about['kind']}/{about['name']}",
                "part": about.get("fieldPath"),
                "reason": manifest.get("reason"),
                "message": manifest.get("message"),
                "count": manifest.get("count"),
            }
        case other:
            raise ValueError(f"a timeline has no facts for {other}")


def metrics_of(autoscaler: Manifest) -> list[dict[str, Any]]:
    """Return each metric of an autoscaler: type, name, unit, target, and the value it last saw (None: it saw none)."""
    seen = {
        _key(current): current[_SOURCES[current["type"]]].get("current") or {}
        for current in (autoscaler.get("status") or {}).get("currentMetrics") or []
        if current.get("type") in _SOURCES and current.get(_SOURCES[current["type"]])
    }
    found = []
    for metric in autoscaler["spec"]["metrics"]:
        kind, name = _key(metric)
        target = metric[_SOURCES[kind]]["target"]
        field = _VALUES[target["type"]]
        found.append(
            {
                "type": kind,
                "name": name,
                "unit": _UNITS[target["type"]],
                "target": _number(target[field]),
                "value": _number(seen.get((kind, name), {}).get(field)),
            }
        )
    return found


def _key(metric: Manifest) -> tuple[str, str]:
    described = metric[_SOURCES[metric["type"]]]
    return metric["type"], str(described.get("name") or described["metric"]["name"])


def _number(value: int | str | None) -> float | None:
    return None if value is None else float(parse_quantity(value))


def _autoscaler(manifest: Manifest) -> dict[str, Any]:
    status = manifest.get("status") or {}
    return {
        "current": status.get("currentReplicas"),
        "desired": status.get("desiredReplicas"),
        "metrics": metrics_of(manifest),
        "active": _condition(status, "ScalingActive"),
    }


def _pod(manifest: Manifest) -> dict[str, Any]:
    spec, status = manifest.get("spec") or {}, manifest.get("status") or {}
    requests = [((c.get("resources") or {}).get("requests") or {}) for c in spec.get("containers") or []]
    return {
        "phase": status.get("phase"),
        "scheduled": _condition(status, "PodScheduled") == "True",
        # Without an init container this is so from the begin, and nothing was done.
        "initialized": bool(spec.get("initContainers")) and _condition(status, "Initialized") == "True",
        "ready": _condition(status, "Ready") == "True",
        "restarts": sum(c["restartCount"] for c in status.get("containerStatuses") or []),
        "deleting": "deletionTimestamp" in manifest["metadata"],
        "cpu_request_cores": sum(float(parse_quantity(one.get("cpu", 0))) for one in requests),
        "codemodel": (manifest["metadata"].get("labels") or {}).get("codemodel.dev/name"),
    }


def _condition(status: Manifest, kind: str) -> str | None:
    return next((c["status"] for c in status.get("conditions") or [] if c["type"] == kind), None)
