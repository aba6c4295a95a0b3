"""Names, labels and the owner reference that all children share."""

from typing import Any

from ..api import API_VERSION, GROUP, KIND
from ..api.codemodel import Owner

NAME_LABEL = f"{GROUP}/name"
TEMPLATE_ANNOTATION = f"{GROUP}/template"
"""On pods: fingerprint of their template; tells the pods of a rollout from the older ones."""


def selector(name: str) -> dict[str, str]:
    """Return the labels that select the pods of a CodeModel. Immutable in a Deployment: never change them."""
    return {NAME_LABEL: name, "app.kubernetes.io/instance": name}


def labels(name: str) -> dict[str, str]:
    """Return the labels of every child of a CodeModel."""
    return {
        **selector(name),
        "app.kubernetes.io/name": "codemodel",
        "app.kubernetes.io/managed-by": "codemodel-operator",
        "app.kubernetes.io/component": "inference",
    }


def metadata(owner: Owner, name: str | None = None) -> dict[str, Any]:
    """Return the metadata of a child; its name is that of the CodeModel unless given.

    Through the owner reference the cluster's garbage collection deletes the child with its CodeModel.
    """
    return {
        "name": name or owner.name,
        "namespace": owner.namespace,
        "labels": labels(owner.name),
        "ownerReferences": [
            {
                "apiVersion": API_VERSION,
                "kind": KIND,
                "name": owner.name,
                "uid": owner.uid,
                "controller": True,
                "blockOwnerDeletion": False,
            }
        ],
    }
