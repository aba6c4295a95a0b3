"""The volumes of a pod."""

from typing import Any

from ..api.source import ClaimSource, ImageSource
from ..api.spec import CodeModelSpec, SecretReference
from .storage import claim_name

TOKEN_DIRECTORY = "/var/run/secrets/codemodel"  # noqa: S105 - a place, not a secret

KEYS_DIRECTORY = "/var/run/secrets/codemodel-keys"


def build_volumes(name: str, spec: CodeModelSpec) -> list[dict[str, Any]]:
    """Return them, the one with the model first."""
    volumes: list[dict[str, Any]] = []
    if spec.served is not None:
        volumes.append({"name": "models", **_models(name, spec)})
    volumes.append({"name": "tmp", "emptyDir": {}})
    if spec.download is not None and spec.download.secret_ref is not None:
        token = [{"key": "token", "path": "token"}]
        volumes.append({"name": "token", "secret": {**_secret(spec.download.secret_ref), "items": token}})
    if spec.auth is not None:
        volumes.append({"name": "keys", "secret": _secret(spec.auth.secret_ref)})
    return volumes


def _models(name: str, spec: CodeModelSpec) -> dict[str, Any]:
    match spec.served and spec.served.mounted:
        case ClaimSource(claim, _):
            # Read-only, so that nobody changes the owner of somebody else's files.
            return {"persistentVolumeClaim": {"claimName": claim, "readOnly": True}}
        case ImageSource(image, _):
            return {"image": {"reference": image, "pullPolicy": "IfNotPresent"}}
    if spec.cache.mode == "Shared":
        return {"persistentVolumeClaim": {"claimName": claim_name(name)}}
    return {"emptyDir": {"sizeLimit": spec.cache.size}}


def _secret(reference: SecretReference) -> dict[str, Any]:
    """A volume source that the server's group can read, and nobody else."""
    return {"secretName": reference.name, "defaultMode": 0o440}
