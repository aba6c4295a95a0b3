"""The conditions of a CodeModel, by the conventions of kstatus. Pure functions: a world in, verdicts out."""

from collections.abc import Mapping
from typing import Any

from .api.status import ConditionStatus
from .diagnosis import Finding, Severity, capitalised, diagnose
from .findings import worst
from .pods import alive, has_model, is_ready
from .resources.storage import model_path
from .world import World, serves, suspended, template

Verdict = tuple[ConditionStatus, str, str]
"""Status, reason and message of a condition."""


_SCALING_ADVICE = {
    "FailedGetResourceMetric": "; this is so until replicas have run for a minute: if it lasts, see whether "
    "metrics-server works (kubectl top pods)",
}


def judge(world: World) -> dict[str, Verdict]:
    """Return the verdict on every condition, by its type."""
    finding = worst(world)
    return {
        "Ready": _ready(world, finding),
        "Reconciling": _reconciling(world, finding),
        "Stalled": _stalled(finding),
        "ModelAvailable": _model_available(world),
        "Scaled": _scaled(world),
    }


def _rolling_out(world: World) -> bool:
    status = world.child("Deployment", "status")
    generation = world.children.get("Deployment", {}).get("metadata", {}).get("generation", 0)
    seen = status.get("observedGeneration") or 0
    return seen < generation or (status.get("replicas") or 0) > (status.get("updatedReplicas") or 0)


def _ready(world: World, finding: Finding | None) -> Verdict:
    status = world.child("Deployment", "status")
    ready, replicas = status.get("readyReplicas") or 0, status.get("replicas") or 0
    if suspended(world) and not world.problems:
        return "False", "Suspended", "No replica runs because spec.suspend is true; set it to false to serve"
    if serves(world):
        return "True", "Available", f"{ready} of {replicas} replicas answer requests"
    if finding:
        return "False", finding.reason, finding.message
    return "False", "RollingOut", f"{ready} of {replicas} replicas answer requests; waiting for more"


def _as_wanted(world: World) -> bool:
    return suspended(world) or serves(world)


def _reconciling(world: World, finding: Finding | None) -> Verdict:
    if finding and finding.severity is Severity.STALLED:
        # Both at once would read as "in progress": kstatus looks at this one first.
        return "False", finding.reason, "Nothing more happens until the cause under Stalled is removed"
    if finding and (finding.severity is Severity.TROUBLE or not _as_wanted(world)):
        return "True", finding.reason, finding.message
    if suspended(world):
        left = world.child("Deployment", "status").get("replicas") or 0
        if left:
            return "True", "Suspending", f"{left} replicas are being stopped"
        return "False", "Suspended", "Nothing runs, as the spec says"
    if _rolling_out(world) or not serves(world):
        detail = f": {finding.message}" if finding else ""
        return "True", "RollingOut", f"Replicas are being brought to the present spec{detail}"
    return "False", "Reconciled", "Everything is as the spec says"


def _stalled(finding: Finding | None) -> Verdict:
    if finding and finding.severity is Severity.STALLED:
        return "True", finding.reason, finding.message
    return "False", "NotStalled", "Nothing needs attention"


def _model_available(world: World) -> Verdict:
    if world.spec is None:
        return "Unknown", "InvalidSpec", "The spec does not say which model"
    model = world.spec.served
    if model is None:
        return "True", "NotNeeded", "The engine needs no model"
    return _mounted(world) if model.mounted else _downloaded(world, model_path(model))


def _mounted(world: World) -> Verdict:
    if any(is_ready(pod) for pod in alive(world.pods)):
        return "True", "Mounted", "The model was loaded from the volume that it is on"
    return "Unknown", "NotLoaded", "No replica has loaded the model from its volume yet"


def _downloaded(world: World, path: str) -> Verdict:
    finding = diagnose(alive(world.pods, template(world)), world.hints)
    if finding and finding.download and finding.severity is not Severity.PROGRESS:
        return "False", finding.reason, finding.message
    if any(has_model(pod, path) for pod in alive(world.pods)):
        return "True", "Downloaded", "The model was downloaded and verified"
    if finding and finding.download:
        detail = f": {world.progress}" if world.progress else ""
        return "False", finding.reason, finding.message + detail
    return "Unknown", "NotStarted", "No pod has begun to download the model"


def _scaled(world: World) -> Verdict:
    if suspended(world):
        return "False", "Suspended", "The autoscaler rests while spec.suspend is true"
    status = world.child("HorizontalPodAutoscaler", "status")
    conditions = {c["type"]: c for c in status.get("conditions") or []}
    able = conditions.get("AbleToScale", {})
    active = conditions.get("ScalingActive", {})
    for condition in (able, active):
        if condition.get("status") == "False":
            reason = condition.get("reason") or "NotScaling"
            return "False", reason, _sentence(condition) + _SCALING_ADVICE.get(reason, "")
    if active.get("status") == "True":
        return "True", active.get("reason") or "ScalingActive", _sentence(active)
    return "Unknown", "NotStarted", "The autoscaler has not looked yet"


def _sentence(condition: Mapping[str, Any]) -> str:
    return capitalised(condition.get("message") or "")
