"""What both containers of a pod have in common."""

from typing import Any

from ..api.spec import CodeModelSpec


def resources(spec: CodeModelSpec) -> dict[str, Any]:
    """The same for both containers: a pod is charged for the larger one, not for the sum."""
    return {
        "requests": {"cpu": spec.resources.requests.cpu, "memory": spec.resources.requests.memory},
        "limits": {"cpu": spec.resources.limits.cpu, "memory": spec.resources.limits.memory},
    }


def security() -> dict[str, Any]:
    """No rights at all."""
    return {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
