"""The PodDisruptionBudget: whoever drains a node takes one replica at a time."""

from typing import Any

from ..api.codemodel import Owner
from ..api.spec import CodeModelSpec
from .labels import metadata, selector


def build_disruption_budget(owner: Owner, spec: CodeModelSpec) -> dict[str, Any] | None:
    """Return the budget, None when there is never more than one replica: it could only forbid every drain."""
    if spec.scaling.max_replicas == 1:
        return None
    return {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": metadata(owner),
        "spec": {
            "maxUnavailable": 1,
            "selector": {"matchLabels": selector(owner.name)},
            # A replica that does not serve is no reason to keep a node.
            "unhealthyPodEvictionPolicy": "AlwaysAllow",
        },
    }
