"""The nodes that replicas may run on, as far as their memory is concerned. Pure functions."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from .api.quantity import parse_quantity
from .cluster import Manifest

_PASSING = frozenset(
    f"node.kubernetes.io/{what}"
    for what in (
        "not-ready",
        "unreachable",
        "memory-pressure",
        "disk-pressure",
        "pid-pressure",
        "network-unavailable",
    )
)
"""Taints of a node in trouble, which go by themselves: the node will take pods again."""


@dataclass(frozen=True)
class Node:
    """One that a replica can be put on."""

    name: str
    memory: Decimal
    """Bytes that its pods may request together (status.allocatable)."""


def read_node(manifest: Manifest) -> Node | None:
    """Return what counts of a node, None of one that is cordoned, kept for others, or says nothing of its memory.

    Replicas have neither a node selector nor tolerations, so its taints alone tell.
    """
    spec = manifest.get("spec") or {}
    kept = any(
        taint.get("effect") in ("NoSchedule", "NoExecute") and taint.get("key") not in _PASSING
        for taint in spec.get("taints") or ()
    )
    memory = ((manifest.get("status") or {}).get("allocatable") or {}).get("memory")
    if kept or spec.get("unschedulable") or memory is None:
        return None
    return Node(manifest["metadata"]["name"], parse_quantity(memory))


def too_small(nodes: Sequence[Node] | None, needed: Decimal) -> Node | None:
    """Return the largest of the nodes if even that can never hold so many bytes.

    None too where no node is known: nobody may read them, or a pool begins with none and grows.
    """
    largest = max(nodes or (), key=lambda node: node.memory, default=None)
    return largest if largest is not None and largest.memory < needed else None
