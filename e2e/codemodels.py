"""CodeModels for the suite: small, so that several fit on a machine with two cores."""

import copy
from dataclasses import dataclass
from typing import Any

from e2e.api import Api, Manifest
from models.sample_model.build import SHA256

HUB_NAMESPACE = "model-hub"
HUB = "model-hub"
MODEL_FILE = "tiny-coder.gguf"
SOURCE = f"http://{HUB}.{HUB_NAMESPACE}.svc/{MODEL_FILE}"

LOAD_MODEL: Manifest = {"source": SOURCE.replace(MODEL_FILE, "sample-coder.gguf"), "sha256": SHA256}
"""`spec.model` for load: a token of it costs as much as one of a model many times its size, and it never ends early."""

SUITE_LABEL = "codemodel.dev/e2e"
"""Label of the namespaces that belong to the suite, and that it deletes."""

READY_SECONDS = 120
"""From apply to Ready: volume, download, two container starts and the loading of the model, on a busy machine."""


@dataclass(frozen=True)
class ModelFile:
    """The model file on the hub, as it really is there."""

    sha256: str
    size: int


def codemodel(name: str, change: Manifest | None = None) -> Manifest:
    """Return a CodeModel that serves tiny-coder; ``change`` is merged into its spec (None removes)."""
    spec: Manifest = {
        "model": {"source": SOURCE},
        "engine": {"name": "llama-cpp", "contextLength": 512},
        "cache": {"size": "64Mi"},
        "resources": {
            "requests": {"cpu": "50m", "memory": "128Mi"},
            "limits": {"cpu": "1", "memory": "512Mi"},
        },
        "scaling": {"minReplicas": 1, "maxReplicas": 1},
    }
    return {
        "apiVersion": "codemodel.dev/v1alpha1",
        "kind": "CodeModel",
        "metadata": {"name": name},
        "spec": merged(spec, change or {}),
    }


def suite_namespace(name: str) -> Manifest:
    """Return a namespace of the suite's own, under Pod Security "restricted"."""
    labels = {SUITE_LABEL: "true", "pod-security.kubernetes.io/enforce": "restricted"}
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}}


def merged(base: Manifest, change: Manifest) -> Manifest:
    """Return ``base`` with ``change`` applied as a JSON merge patch."""
    result = copy.deepcopy(base)
    for key, value in change.items():
        if value is None:
            result.pop(key, None)
        elif isinstance(value, dict) and isinstance(result.get(key), dict):
            result[key] = merged(result[key], value)
        else:
            result[key] = value
    return result


def condition(found: Manifest, kind: str) -> dict[str, Any]:
    """Return a condition of an object, empty when it has none of this type."""
    conditions = found.get("status", {}).get("conditions") or []
    return next((dict(c) for c in conditions if c["type"] == kind), {})


def pods(api: Api, namespace: str, name: str) -> list[Manifest]:
    """Return the pods of a CodeModel that are not being deleted."""
    found = api.list("Pod", namespace, f"codemodel.dev/name={name}")
    return [pod for pod in found if "deletionTimestamp" not in pod["metadata"]]
