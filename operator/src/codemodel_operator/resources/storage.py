"""The volume that the replicas share, so that a model is downloaded once."""

import hashlib
from typing import Any

from ..api.codemodel import Owner
from ..api.spec import CodeModelSpec, Model
from .labels import metadata

MODELS_PATH = "/models"


def claim_name(name: str) -> str:
    """Return the name of the PersistentVolumeClaim of a CodeModel."""
    return f"{name}-models"


def model_path(model: Model) -> str:
    """Return where the model file lies in a pod.

    Another source or checksum gives another name: an edited spec downloads anew and never overwrites a file
    that running replicas have mapped into memory.
    """
    if model.mounted:
        return f"{MODELS_PATH}/{model.mounted.path}"
    identity = f"{model.source}\n{model.sha256 or ''}"
    return f"{MODELS_PATH}/{hashlib.sha256(identity.encode()).hexdigest()[:16]}.gguf"


def build_storage(owner: Owner, spec: CodeModelSpec) -> dict[str, Any] | None:
    """Return the PersistentVolumeClaim, None when the CodeModel shares nothing."""
    if spec.download is None or spec.cache.mode != "Shared":
        return None
    claim: dict[str, Any] = {
        "accessModes": [spec.cache.access_mode],
        "resources": {"requests": {"storage": spec.cache.size}},
    }
    if spec.cache.storage_class_name is not None:
        claim["storageClassName"] = spec.cache.storage_class_name
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": metadata(owner, claim_name(owner.name)),
        "spec": claim,
    }
