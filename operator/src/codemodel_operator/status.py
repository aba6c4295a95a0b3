"""The status of a CodeModel as pure functions of what was observed, by the conventions of kstatus."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from pydantic import ValidationError

from .api.codemodel import Owner
from .api.spec import CodeModelSpec
from .api.status import CodeModelStatus, Condition, ConditionStatus, ModelFacts, ModelStatus
from .apply import Problem
from .cluster import Manifest
from .pods import (
    Finding,
    Hints,
    Severity,
    alive,
    capitalised,
    diagnose,
    evicted,
    has_model,
    is_ready,
    silent,
    template_of,
)
from .progress import Progress
from .resources.storage import claim_name, model_path

CONDITION_TYPES = ("Ready", "Reconciling", "Stalled", "ModelAvailable", "Scaled")

Verdict = tuple[ConditionStatus, str, str]
"""Status, reason and message of a condition."""


@dataclass(frozen=True)
class World:
    """Everything that a status depends on."""

    owner: Owner
    spec: CodeModelSpec | None
    """None when it is invalid."""

    children: Mapping[str, Manifest]
    """The children that are ours, by role, as stored last."""

    pods: Sequence[Manifest]
    problems: Sequence[Problem]
    hints: Hints = field(default_factory=dict)
    progress: Progress | None = None
    """Of the download under way."""

    facts: ModelFacts = field(default_factory=ModelFacts)
    """What is known of the model."""

    def child(self, kind: str, part: str) -> Mapping[str, Any]:
        """Return the spec or status of a child, empty when there is none."""
        found: Mapping[str, Any] = self.children.get(kind, {}).get(part) or {}
        return found


def unexplained(world: World) -> list[str]:
    """Return the uids of objects that hold up new replicas without saying why: their Events may."""
    # All pods are made alike, so one of them tells for all.
    pods = [pod for pod in alive(world.pods, _template(world)) if silent(pod)][:1]
    claims = [world.children["PersistentVolumeClaim"]] if _waits_for_volume(world) else []
    return [thing["metadata"]["uid"] for thing in (*pods, *claims)]


def compute_status(world: World, previous: CodeModelStatus, now: datetime) -> CodeModelStatus:
    """Return the new status; conditions whose status is unchanged keep their transition time."""
    deployment = world.child("Deployment", "status")
    finding = _worst(world)
    verdicts: dict[str, Verdict] = {
        "Ready": _ready(world, finding),
        "Reconciling": _reconciling(world, finding),
        "Stalled": _stalled(finding),
        "ModelAvailable": _model_available(world),
        "Scaled": _scaled(world.child("HorizontalPodAutoscaler", "status")),
    }
    wanted = world.child("HorizontalPodAutoscaler", "status").get("desiredReplicas")
    return CodeModelStatus(
        observed_generation=world.owner.generation,
        conditions=tuple(
            _condition(type_, verdicts[type_], previous, world.owner.generation, now)
            for type_ in CONDITION_TYPES
        ),
        replicas=deployment.get("replicas") or 0,
        ready_replicas=deployment.get("readyReplicas") or 0,
        # An autoscaler that has not looked yet says 0.
        desired_replicas=wanted or world.child("Deployment", "spec").get("replicas") or 0,
        endpoint=_endpoint(world),
        model=_model(world),
    )


def read_status(body: Manifest) -> CodeModelStatus:
    """Return the stored status, reduced to the conditions that are ours; empty when it is unreadable."""
    try:
        stored = CodeModelStatus.model_validate(body.get("status") or {})
    except ValidationError:
        return CodeModelStatus()
    ours = tuple(c for type_ in CONDITION_TYPES if (c := stored.condition(type_)))
    return stored.model_copy(update={"conditions": ours})


def dump_status(status: CodeModelStatus) -> Manifest:
    """Return the status as it is stored."""
    return status.model_dump(by_alias=True, exclude_none=True, mode="json")


def _worst(world: World) -> Finding | None:
    """Return what most deserves to be said about why not everything is as desired."""
    if world.problems:
        worst = min(world.problems, key=lambda problem: problem.passing)
        severity = Severity.TROUBLE if worst.passing else Severity.STALLED
        return Finding(severity, worst.reason, "; ".join(p.message for p in world.problems))
    candidates = [
        _deployment_trouble(world),
        _volume(world),
        diagnose(alive(world.pods, _template(world)), world.hints),
        None if _serves(world) else evicted(world.pods, _template(world)),
    ]
    return min((c for c in candidates if c), key=lambda c: c.severity, default=None)


def _template(world: World) -> str | None:
    return template_of(world.child("Deployment", "spec").get("template") or {})


def _deployment_trouble(world: World) -> Finding | None:
    conditions = {c["type"]: c for c in world.child("Deployment", "status").get("conditions") or []}
    refused = conditions.get("ReplicaFailure", {})
    if refused.get("status") == "True":
        return Finding(Severity.STALLED, "PodsRefused", f"Pods cannot be created: {refused.get('message')}")
    progress = conditions.get("Progressing", {})
    if progress.get("status") == "False" and progress.get("reason") == "ProgressDeadlineExceeded":
        return Finding(Severity.STALLED, "ProgressDeadlineExceeded", progress.get("message") or "No progress")
    return None


def _volume(world: World) -> Finding | None:
    if not _waits_for_volume(world):
        return None
    claim = world.children["PersistentVolumeClaim"]
    name = claim_name(world.owner.name)
    if claim["status"]["phase"] == "Lost":
        text = f"PersistentVolumeClaim {name} has lost its volume; delete it, and another one is made"
        return Finding(Severity.STALLED, "VolumeLost", text)
    # The API server has filled in the default class, when there is one.
    class_ = claim.get("spec", {}).get("storageClassName")
    if not class_:
        why = "there is no default StorageClass; name one in spec.cache.storageClassName"
    elif hint := world.hints.get(claim["metadata"]["uid"]):
        why = f"correct spec.cache or StorageClass {class_}: {hint}"
    else:
        return Finding(
            Severity.PROGRESS,
            "ProvisioningVolume",
            f"PersistentVolumeClaim {name} waits for a volume of StorageClass {class_}",
        )
    return Finding(Severity.TROUBLE, "VolumeNotBound", f"PersistentVolumeClaim {name} is not bound: {why}")


def _waits_for_volume(world: World) -> bool:
    """A claim that waits for its first pod is normal; so this counts only beside a pod without a node."""
    unbound = world.child("PersistentVolumeClaim", "status").get("phase") in ("Pending", "Lost")
    return unbound and any(not pod.get("spec", {}).get("nodeName") for pod in alive(world.pods))


def _serves(world: World) -> bool:
    wanted = world.spec.scaling.min_replicas if world.spec else 1
    available = world.child("Deployment", "status").get("availableReplicas") or 0
    return available >= wanted and "Service" in world.children


def _rolling_out(world: World) -> bool:
    status = world.child("Deployment", "status")
    generation = world.children.get("Deployment", {}).get("metadata", {}).get("generation", 0)
    seen = status.get("observedGeneration") or 0
    return seen < generation or (status.get("replicas") or 0) > (status.get("updatedReplicas") or 0)


def _ready(world: World, finding: Finding | None) -> Verdict:
    status = world.child("Deployment", "status")
    ready, replicas = status.get("readyReplicas") or 0, status.get("replicas") or 0
    if _serves(world):
        return "True", "Available", f"{ready} of {replicas} replicas answer requests"
    if finding:
        return "False", finding.reason, finding.message
    return "False", "RollingOut", f"{ready} of {replicas} replicas answer requests; waiting for more"


def _reconciling(world: World, finding: Finding | None) -> Verdict:
    if finding and finding.severity is Severity.STALLED:
        # Both at once would read as "in progress": kstatus looks at this one first.
        return "False", finding.reason, "Nothing more happens until the cause under Stalled is removed"
    if finding and (finding.severity is Severity.TROUBLE or not _serves(world)):
        return "True", finding.reason, finding.message
    if _rolling_out(world) or not _serves(world):
        detail = f": {finding.message}" if finding else ""
        return "True", "RollingOut", f"Replicas are being brought to the present spec{detail}"
    return "False", "Reconciled", "Everything is as the spec says"


def _stalled(finding: Finding | None) -> Verdict:
    if finding and finding.severity is Severity.STALLED:
        return "True", finding.reason, finding.message
    return "False", "NotStalled", "Nothing needs attention"


def _model(world: World) -> ModelStatus | None:
    model = world.spec.served if world.spec else None
    if model is None:
        return None
    progress = world.progress
    return ModelStatus(
        **world.facts.model_dump(),
        source=model.source,
        sha256=model.sha256,
        downloaded_bytes=progress.bytes if progress else None,
        total_bytes=progress.total if progress else None,
        downloaded_percent=progress.percent if progress else None,
    )


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
    finding = diagnose(alive(world.pods, _template(world)), world.hints)
    if finding and finding.download and finding.severity is not Severity.PROGRESS:
        return "False", finding.reason, finding.message
    if any(has_model(pod, path) for pod in alive(world.pods)):
        return "True", "Downloaded", "The model was downloaded and verified"
    if finding and finding.download:
        detail = f": {world.progress}" if world.progress else ""
        return "False", finding.reason, finding.message + detail
    return "Unknown", "NotStarted", "No pod has begun to download the model"


def _scaled(status: Mapping[str, Any]) -> Verdict:
    conditions = {c["type"]: c for c in status.get("conditions") or []}
    able = conditions.get("AbleToScale", {})
    active = conditions.get("ScalingActive", {})
    for condition in (able, active):
        if condition.get("status") == "False":
            return "False", condition.get("reason") or "NotScaling", _sentence(condition)
    if active.get("status") == "True":
        return "True", active.get("reason") or "ScalingActive", _sentence(active)
    return "Unknown", "NotStarted", "The autoscaler has not looked yet"


def _sentence(condition: Mapping[str, Any]) -> str:
    return capitalised(condition.get("message") or "")


def _endpoint(world: World) -> str | None:
    ports = world.child("Service", "spec").get("ports")
    if not ports:
        return None
    ingress = (world.child("Service", "status").get("loadBalancer") or {}).get("ingress") or [{}]
    address = ingress[0].get("ip") or ingress[0].get("hostname")
    host = address or f"{world.owner.name}.{world.owner.namespace}.svc"
    return f"http://{f'[{host}]' if ':' in host else host}:{ports[0]['port']}"


def _condition(
    type_: str, verdict: Verdict, previous: CodeModelStatus, generation: int, now: datetime
) -> Condition:
    status, reason, message = verdict
    before = previous.condition(type_)
    unchanged = before is not None and before.status == status
    return Condition(
        type=type_,
        status=status,
        reason=reason,
        message=message[:32768],
        observed_generation=generation,
        last_transition_time=before.last_transition_time
        if before and unchanged
        else now.strftime("%Y-%m-%dT%H:%M:%SZ"),
    )
