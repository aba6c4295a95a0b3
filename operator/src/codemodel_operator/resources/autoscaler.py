"""The HorizontalPodAutoscaler: the only one that decides the number of replicas."""

from typing import Any

from ..api.codemodel import Owner
from ..api.spec import CodeModelSpec
from .labels import metadata


def build_autoscaler(owner: Owner, spec: CodeModelSpec) -> dict[str, Any]:
    """Return the autoscaler on CPU use: up at once, down after the cooldown."""
    return {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": metadata(owner),
        "spec": {
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": owner.name},
            "minReplicas": spec.scaling.min_replicas,
            "maxReplicas": spec.scaling.max_replicas,
            "metrics": [
                {
                    "type": "Resource",
                    "resource": {
                        "name": "cpu",
                        "target": {"type": "Utilization", "averageUtilization": spec.scaling.target},
                    },
                }
            ],
            "behavior": {
                "scaleUp": {"stabilizationWindowSeconds": 0},
                "scaleDown": {"stabilizationWindowSeconds": spec.scaling.scale_down_cooldown_seconds},
            },
        },
    }
