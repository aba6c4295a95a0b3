"""The init container that downloads the model."""

import math
from dataclasses import dataclass
from typing import Any

from ..api.quantity import parse_quantity
from ..api.spec import CodeModelSpec, Model
from .container import pulled, resources, security
from .storage import MODELS_PATH, model_path
from .volumes import TOKEN_DIRECTORY

DOWNLOADER = "download-model"
"""Name of the init container."""


@dataclass(frozen=True)
class Downloads:
    """What an administrator allows sources to be."""

    allow_private: bool = False
    """Whether a model may come from an address inside the cluster or the network around it."""

    hub_endpoint: str | None = None
    """Where hf:// leads instead of the public hub, None for that."""


def _size_limit(spec: CodeModelSpec) -> list[str]:
    """Nobody has read this model's header, but what is larger than the server's memory limit it cannot load."""
    limit = spec.resources.limits.memory
    return ["--max-size", str(math.ceil(parse_quantity(limit)))] if limit else []


def build_downloader(model: Model, spec: CodeModelSpec, image: str, downloads: Downloads) -> dict[str, Any]:
    """Return the container; it is to end well before the server starts."""
    arguments = [model.source, model_path(model)]
    mounts: list[dict[str, Any]] = [
        {"name": "models", "mountPath": MODELS_PATH},
        {"name": "tmp", "mountPath": "/tmp"},  # noqa: S108
    ]
    if model.sha256 is not None:
        arguments += ["--sha256", model.sha256]
    if model.secret_ref is not None:
        arguments += ["--token-file", f"{TOKEN_DIRECTORY}/token", *_size_limit(spec)]
        mounts.append({"name": "token", "mountPath": TOKEN_DIRECTORY, "readOnly": True})
    if downloads.allow_private:
        arguments.append("--allow-private")
    environment = [{"name": "HF_ENDPOINT", "value": downloads.hub_endpoint}] if downloads.hub_endpoint else []
    return {
        "name": DOWNLOADER,
        **pulled(image),
        "command": ["codemodel-fetch"],
        "args": arguments,
        **({"env": environment} if environment else {}),
        "resources": resources(spec),
        # Where no message of its own was left (an image without the command, say), the log's end is one.
        "terminationMessagePolicy": "FallbackToLogsOnError",
        "securityContext": security(),
        "volumeMounts": mounts,
    }
