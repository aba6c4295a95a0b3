"""The status of a CodeModel: what was observed, and what is stored of it. Pure functions."""

from datetime import datetime

from pydantic import ValidationError

from .api.status import CodeModelStatus, Condition, ModelStatus
from .cluster import Manifest
from .conditions import Verdict, judge
from .scaling import timeline
from .world import World, desired_replicas

CONDITION_TYPES = ("Ready", "Reconciling", "Stalled", "ModelAvailable", "Scaled")


def compute_status(world: World, previous: CodeModelStatus, now: datetime) -> CodeModelStatus:
    """Return the new status; conditions whose status is unchanged keep their transition time."""
    deployment = world.child("Deployment", "status")
    verdicts = judge(world)
    return CodeModelStatus(
        observed_generation=world.owner.generation,
        conditions=tuple(
            _condition(type_, verdicts[type_], previous, world.owner.generation, now)
            for type_ in CONDITION_TYPES
        ),
        replicas=deployment.get("replicas") or 0,
        ready_replicas=deployment.get("readyReplicas") or 0,
        desired_replicas=desired_replicas(world),
        endpoint=_endpoint(world),
        model=_model(world),
        cache=world.cache,
        scaling=timeline(world, previous, now),
    )


def read_status(body: Manifest) -> CodeModelStatus:
    """Return the stored status, reduced to what can be read and to the conditions that are ours."""
    status = body.get("status") or {}
    stored = _parsed(status) or _parsed(_readable(status)) or CodeModelStatus()
    ours = tuple(c for type_ in CONDITION_TYPES if (c := stored.condition(type_)))
    return stored.model_copy(update={"conditions": ours})


def _readable(status: Manifest) -> Manifest:
    """Without what another schema has left: an apply does not remove it, so it must not count as a change for ever."""
    conditions = status.get("conditions")
    readable = [c for c in conditions if _parsed({"conditions": [c]})] if isinstance(conditions, list) else []
    return {**{k: v for k, v in status.items() if _parsed({k: v})}, "conditions": readable}


def _parsed(status: Manifest) -> CodeModelStatus | None:
    try:
        return CodeModelStatus.model_validate(status)
    except ValidationError:
        return None


def dump_status(status: CodeModelStatus) -> Manifest:
    """Return the status as it is stored."""
    return status.model_dump(by_alias=True, exclude_none=True, mode="json")


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
