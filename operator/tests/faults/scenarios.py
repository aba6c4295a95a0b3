"""What users do, and what has to come of it whatever happens meanwhile."""

from collections.abc import Callable
from dataclasses import dataclass

from ..control_plane.api import Api, Manifest

NAME = "coder"

# Of this machine, so the operator refuses it at once, and no network is needed to find out that nothing is there.
_SOURCE = "http://127.0.0.1:9/model.gguf"
_FIRST_IMAGE = "server:first"


@dataclass(frozen=True)
class Scenario:
    """One story of a CodeModel."""

    name: str
    act: Callable[[Api, str], None]
    """What the user does in a namespace."""

    settled: bool = True
    """Whether a CodeModel is there before, with everything that belongs to it."""

    afterwards: Callable[[Api, str], None] | None = None
    """What the user does while the operator is gone; a fault-free operator has done its work before."""

    counted: bool = True
    """Whether the number of pods is the operator's doing alone: a ReplicaSet that is deleted may make one more."""


def create(api: Api, namespace: str) -> None:
    """Create the CodeModel; it has children of every kind."""
    api.create(_codemodel(namespace))


def update(api: Api, namespace: str) -> None:
    """Change every child: a rollout, a port on the nodes, other bounds, and a cache that is no longer shared."""
    change: Manifest = {
        "image": "server:second",
        "cache": {"mode": "Ephemeral"},
        "scaling": {"maxReplicas": 4},
        "service": {"type": "NodePort", "port": 8000},
    }
    api.merge("CodeModel", namespace, NAME, {"spec": change})


def revert(api: Api, namespace: str) -> None:
    """Take the update back."""
    change = dict.fromkeys(("cache", "scaling", "service"))
    api.merge("CodeModel", namespace, NAME, {"spec": {**change, "image": _FIRST_IMAGE}})


def delete(api: Api, namespace: str) -> None:
    """Delete the CodeModel."""
    api.delete("CodeModel", NAME, namespace)


def recreate(api: Api, namespace: str) -> None:
    """Create another CodeModel under the name of one that is deleted at the same moment."""
    delete(api, namespace)
    api.create(_codemodel(namespace))


CREATE = Scenario("create", create, settled=False)
UPDATE = Scenario("update", update)
DELETE = Scenario("delete", create, settled=False, afterwards=delete, counted=False)
REVERT = Scenario("revert", update, afterwards=revert)
RECREATE = Scenario("recreate", recreate, counted=False)
SCENARIOS = (CREATE, UPDATE, REVERT, DELETE, RECREATE)


def at_rest(found: dict[str, Manifest]) -> bool:
    """Tell whether a snapshot is of a namespace where nothing is left to do."""
    codemodel = found.get(f"CodeModel {NAME}")
    if codemodel is None:
        return not any(any(thing.values()) for thing in found.values())
    reconciling = {c["type"]: c["reason"] for c in codemodel["status"].get("conditions", [])}.get(
        "Reconciling"
    )
    return (
        codemodel["status"]["behind"] == 0
        and reconciling == "Reconciled"
        and not any(thing.get("ends") for thing in found.values())
        and len(found["Pods"]["templates"]) == 1
    )


def _codemodel(namespace: str) -> Manifest:
    return {
        "apiVersion": "codemodel.dev/v1alpha1",
        "kind": "CodeModel",
        "metadata": {"name": NAME, "namespace": namespace},
        "spec": {"model": {"source": _SOURCE}, "image": _FIRST_IMAGE},
    }
