"""What both containers of a pod have in common."""

from typing import Any

from ..api.spec import CodeModelSpec


def pulled(image: str) -> dict[str, str]:
    """Return the image, and when to pull it: always if its tag may move.

    That is what the API server fills in, but only once: it would keep the first image's policy for all later ones.
    """
    tag = "" if "@" in image else image.rpartition("/")[2].partition(":")[2] or "latest"
    return {"image": image, "imagePullPolicy": "Always" if tag == "latest" else "IfNotPresent"}


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
