"""Everything that a status depends on. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from .api.codemodel import Owner
from .api.spec import CodeModelSpec
from .api.status import CacheStatus, ModelFacts
from .apply import Problem
from .cluster import Manifest
from .diagnosis import Hints, diagnose, silent
from .nodes import Node
from .pods import alive, last_evicted, template_of
from .progress import Progress


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

    cache: CacheStatus | None = None
    """Where its file is kept."""

    rescale: str | None = None
    """Why the autoscaler last changed the number of replicas, in its own words."""

    nodes: Sequence[Node] | None = None
    """Those that replicas can be put on; None when they cannot be read, or nobody needs to know."""

    def child(self, kind: str, part: str) -> Mapping[str, Any]:
        """Return the spec or status of a child, empty when there is none."""
        found: Mapping[str, Any] = self.children.get(kind, {}).get(part) or {}
        return found


def unexplained(world: World) -> list[str]:
    """Return the uids of objects that hold up new replicas without saying why: their Events may."""
    # All pods are made alike, so one of them tells for all.
    pods = [pod for pod in alive(world.pods, template(world)) if silent(pod)][:1]
    # Most say it themselves.
    gone = None if serves(world) else last_evicted(world.pods, template(world))
    if gone and not gone["status"].get("message"):
        pods.append(gone)
    claims = [world.children["PersistentVolumeClaim"]] if waits_for_volume(world) else []
    return [thing["metadata"]["uid"] for thing in (*pods, *claims)]


def template(world: World) -> str | None:
    """Return the fingerprint of the pod template in force."""
    return template_of(world.child("Deployment", "spec").get("template") or {})


def lacks_memory(world: World) -> bool:
    """Tell whether a replica waits for a node with the memory that we worked out: what users ask for is their own."""
    if world.spec is None or world.spec.resources.requests.memory or world.facts.required_memory is None:
        return False
    finding = diagnose(alive(world.pods, template(world)), {})
    return finding is not None and finding.reason == "InsufficientMemory"


def waits_for_volume(world: World) -> bool:
    """Tell whether the claim is unbound although a pod is there for it: without one that is normal."""
    unbound = world.child("PersistentVolumeClaim", "status").get("phase") in ("Pending", "Lost")
    return unbound and any(not pod.get("spec", {}).get("nodeName") for pod in alive(world.pods))


def desired_replicas(world: World) -> int:
    """Return how many replicas the autoscaler wants, or as long as it has not looked, how many there are to be."""
    if suspended(world):
        return 0
    # An autoscaler that has not looked yet says 0.
    wanted = world.child("HorizontalPodAutoscaler", "status").get("desiredReplicas")
    return wanted or world.child("Deployment", "spec").get("replicas") or 0


def suspended(world: World) -> bool:
    """Tell whether nothing is to run."""
    return world.spec is not None and world.spec.suspend


def serves(world: World) -> bool:
    """Tell whether as many replicas as always are to run can be asked."""
    wanted = world.spec.scaling.min_replicas if world.spec else 1
    available = world.child("Deployment", "status").get("availableReplicas") or 0
    return available >= wanted and "Service" in world.children
