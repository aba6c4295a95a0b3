"""What an autoscaler makes of its metrics, by the rules of Kubernetes' horizontal controller. Pure."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from e2e.timeline.entries import Entry

KIND = "HorizontalPodAutoscaler"

SYNC_SECONDS = 15
"""The autoscaler looks this often (kube-controller-manager's default)."""

TOLERANCE = 0.1
"""A value this near to the target changes nothing (kube-controller-manager's default)."""


@dataclass(frozen=True)
class Value:
    """A value of the metric, and when it was seen."""

    at: float
    value: float
    ratio: float
    """The value divided by the target."""

    @property
    def high(self) -> bool:
        """Whether it asks for more replicas."""
        return self.ratio > 1 + TOLERANCE


def recommendation(facts: dict[str, Any]) -> int | None:
    """Return the replicas that the metrics in an autoscaler's facts ask for; None if none was seen.

    The controller's rule: current replicas times value by target, rounded up, the largest of all metrics; a value
    within the tolerance keeps what there is. Bounds and windows come after this.
    """
    current = facts.get("current")
    ratios = [m["value"] / m["target"] for m in facts["metrics"] if m["value"] is not None]
    if not current or not ratios:
        return None
    highest = max(ratios)
    return int(current) if abs(highest - 1) <= TOLERANCE else math.ceil(current * highest)


def values(entries: Iterable[Entry], name: str) -> list[Value]:
    """Return the values of the first metric of an autoscaler, as they came to be known.

    They come from the autoscaler's status. Use of CPU is also known from the pods' own measurements, which the
    autoscaler reads up to one interval later.
    """
    found: list[Value] = []
    metric: dict[str, Any] | None = None
    pods: dict[str, float] = {}
    used: dict[str, float] = {}
    for entry in entries:
        if (entry.kind, entry.name) == (KIND, name):
            metric = entry.facts["metrics"][0]
            if metric["value"] is not None:
                found.append(Value(entry.at, metric["value"], metric["value"] / metric["target"]))
        elif entry.kind == "Pod" and entry.facts["codemodel"] == name:
            pods[entry.name] = entry.facts["cpu_request_cores"]
            if entry.change == "DELETED":
                pods.pop(entry.name), used.pop(entry.name, None)
        elif entry.kind == "PodMetrics" and entry.name in pods:
            used[entry.name] = entry.facts["cpu_cores"]
            requested = sum(pods[pod] for pod in used)
            if metric and _is_cpu_use(metric) and requested:
                percent = 100 * sum(used.values()) / requested
                found.append(Value(entry.at, percent, percent / metric["target"]))
    return found


def crossing(seen: Sequence[Value], after: float, until: float) -> float | None:
    """Return when the values, in this span of time, went above the target to stay there until its end."""
    began = None
    for value in seen:
        if after < value.at <= until:
            began = (began or value.at) if value.high else None
    return began


def _is_cpu_use(metric: dict[str, Any]) -> bool:
    return (metric["type"], metric["name"], metric["unit"]) == ("Resource", "cpu", "% of the request")
