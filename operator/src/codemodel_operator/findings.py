"""What most deserves to be said about why not everything is as desired. Pure functions."""

from .diagnosis import Finding, Severity, diagnose, evicted
from .memory import unplaceable
from .pods import alive
from .refusals import explain_refusal
from .resources.labels import NAME_LABEL
from .resources.storage import claim_name
from .world import World, lacks_memory, serves, template, waits_for_volume


def worst(world: World) -> Finding | None:
    """Return what most deserves to be said about why not everything is as desired."""
    if world.problems:
        worst = min(world.problems, key=lambda problem: problem.passing)
        severity = Severity.TROUBLE if worst.passing else Severity.STALLED
        return Finding(severity, worst.reason, "; ".join(p.message for p in world.problems))
    candidates = [
        _deployment_trouble(world),
        _volume(world),
        no_room(world) or diagnose(alive(world.pods, template(world)), world.hints),
        None if serves(world) else evicted(world.pods, template(world), world.hints),
    ]
    return min((c for c in candidates if c), key=lambda c: c.severity, default=None)


def no_room(world: World) -> Finding | None:
    """Return why no node will ever hold a replica, None when one could or nobody knows.

    The pods stay, waiting: a cluster that grows adds nodes for such pods only.
    """
    deployment = world.children.get("Deployment")
    if deployment is None or not lacks_memory(world):
        return None
    why = unplaceable(deployment, world.nodes)
    return Finding(Severity.STALLED, "ModelDoesNotFit", why) if why else None


def _deployment_trouble(world: World) -> Finding | None:
    conditions = {c["type"]: c for c in world.child("Deployment", "status").get("conditions") or []}
    refused = conditions.get("ReplicaFailure", {})
    if refused.get("status") == "True":
        text = f"Pods cannot be created: {refused.get('message')}"
        return Finding(Severity.STALLED, *explain_refusal(text, otherwise="PodsRefused"))
    progress = conditions.get("Progressing", {})
    if progress.get("status") == "False" and progress.get("reason") == "ProgressDeadlineExceeded":
        what = str(progress.get("message")).rstrip(".")
        where = f"kubectl describe pods -l {NAME_LABEL}={world.owner.name}"
        text = f"{what}; {where} says what it waits for"
        return Finding(Severity.STALLED, "ProgressDeadlineExceeded", text)
    return None


def _volume(world: World) -> Finding | None:
    if not waits_for_volume(world):
        return None
    claim = world.children["PersistentVolumeClaim"]
    name = claim_name(world.owner.name)
    if claim["status"]["phase"] == "Lost":
        text = f"PersistentVolumeClaim {name} has lost its volume; delete it, and another one is made"
        return Finding(Severity.STALLED, "VolumeLost", text)
    # The API server has filled in the default class, when there is one.
    class_ = claim.get("spec", {}).get("storageClassName")
    if not class_:
        why = (
            "there is no default StorageClass; name one in spec.cache.storageClassName, or set spec.cache.mode to "
            "Ephemeral"
        )
    elif hint := world.hints.get(claim["metadata"]["uid"]):
        why = f"correct spec.cache or StorageClass {class_}: {hint}"
    else:
        return Finding(
            Severity.PROGRESS,
            "ProvisioningVolume",
            f"PersistentVolumeClaim {name} waits for a volume of StorageClass {class_}",
        )
    return Finding(Severity.TROUBLE, "VolumeNotBound", f"PersistentVolumeClaim {name} is not bound: {why}")
