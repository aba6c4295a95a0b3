"""Pure builders: a CodeModel in, the desired child out, as plain data. One file a kind."""

from collections.abc import Callable, Mapping
from typing import Any

from ..api.codemodel import Owner
from ..api.spec import CodeModelSpec
from .autoscaler import build_autoscaler
from .deployment import build_deployment
from .disruption import build_disruption_budget
from .download import Downloads
from .network import build_network_policy
from .peers import build_peers, peers_name
from .service import build_service
from .storage import build_storage, claim_name

Manifest = dict[str, Any]

ROLES: Mapping[str, tuple[str, Callable[[str], str]]] = {
    "PersistentVolumeClaim": ("PersistentVolumeClaim", claim_name),
    "Deployment": ("Deployment", str),
    "Service": ("Service", str),
    "Peers": ("Service", peers_name),
    "HorizontalPodAutoscaler": ("HorizontalPodAutoscaler", str),
    "NetworkPolicy": ("NetworkPolicy", str),
    "PodDisruptionBudget": ("PodDisruptionBudget", str),
}
"""Every child that a CodeModel may have, by its role: its kind, and its name from that of the CodeModel."""


def build_children(
    owner: Owner, spec: CodeModelSpec, *, default_image: str, downloads: Downloads
) -> dict[str, Manifest]:
    """Return every child that the CodeModel should have by its role, what others depend on first."""
    children = {
        "PersistentVolumeClaim": build_storage(owner, spec),
        # Before the pods that it is for.
        "NetworkPolicy": build_network_policy(owner, spec, downloads),
        "Deployment": build_deployment(owner, spec, image=spec.image or default_image, downloads=downloads),
        "Service": build_service(owner, spec),
        "Peers": build_peers(owner),
        "HorizontalPodAutoscaler": build_autoscaler(owner, spec),
        "PodDisruptionBudget": build_disruption_budget(owner, spec),
    }
    return {role: child for role, child in children.items() if child is not None}


def needed_first(spec: CodeModelSpec) -> frozenset[str]:
    """Return the roles of the children without which nothing can start, and which others build upon."""
    first = {"Deployment", "Service", "HorizontalPodAutoscaler"}
    if not spec.suspend:
        first |= {"PersistentVolumeClaim", "NetworkPolicy"}
    return frozenset(first)
