"""The Deployment: an init container that downloads the model, and the server."""

from typing import Any

from ..api.codemodel import Owner
from ..api.spec import CodeModelSpec, Model, SecretReference
from ..fingerprint import fingerprint
from .labels import TEMPLATE_ANNOTATION, labels, metadata, selector
from .peers import peers_name
from .storage import MODELS_PATH, claim_name, model_path

DOWNLOADER = "download-model"
"""Name of the init container that downloads the model."""

SERVER = "llm-service"
"""Name of the container that answers requests."""

PORT = 8080
MANAGEMENT_PORT = 8081
"""Where a replica answers probes and scrapes, however many requests it has."""

USER = 65532
"""The unprivileged user of the server image; also the group that owns the volumes."""

TOKEN_DIRECTORY = "/var/run/secrets/codemodel"  # noqa: S105 - a place, not a secret

KEYS_DIRECTORY = "/var/run/secrets/codemodel-keys"

_STOP_SECONDS, _UNROUTE_SECONDS, _GRACE_SECONDS = 60, 5, 45
"""A pod is killed after the first. Endpoints are removed in the second, running requests end in the third; the rest is
for the process to end."""

_SCRAPED = {
    "prometheus.io/scrape": "true",
    "prometheus.io/port": str(MANAGEMENT_PORT),
    "prometheus.io/path": "/metrics",
}

_LOAD_SECONDS = 600
"""A server may take this long to load its model before it is restarted."""

_ROLLOUT_SECONDS = 7200
"""Progress deadline. Downloads of tens of gigabytes are progress, although Kubernetes sees none."""


def build_deployment(owner: Owner, spec: CodeModelSpec, *, image: str) -> dict[str, Any]:
    """Return the Deployment, without spec.replicas: that belongs to the autoscaler."""
    pod = _pod(owner.name, spec, image)
    template = {
        "metadata": {
            "labels": labels(owner.name),
            "annotations": {TEMPLATE_ANNOTATION: fingerprint(pod), **_SCRAPED},
        },
        "spec": pod,
    }
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": metadata(owner),
        "spec": {
            "selector": {"matchLabels": selector(owner.name)},
            "progressDeadlineSeconds": _ROLLOUT_SECONDS,
            "revisionHistoryLimit": 3,
            # Said although it is the default: a rollout that somebody paused goes on.
            "paused": False,
            # A new replica serves before an old one leaves: a rollout never costs capacity.
            "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}},
            "template": template,
        },
    }


def _pod(name: str, spec: CodeModelSpec, image: str) -> dict[str, Any]:
    model = spec.download
    return {
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "terminationGracePeriodSeconds": _STOP_SECONDS,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": USER,
            "runAsGroup": USER,
            "fsGroup": USER,
            # Only the first pod pays for changing the owner of a large volume.
            "fsGroupChangePolicy": "OnRootMismatch",
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        **(_together(name) if _one_node(model, spec) else {}),
        **({"initContainers": [_downloader(model, spec, image)]} if model else {}),
        "containers": [_server(name, model, spec, image)],
        "volumes": _volumes(name, model, spec),
    }


def _one_node(model: Model | None, spec: CodeModelSpec) -> bool:
    """Tell whether the replicas share a volume that only one node can mount."""
    return bool(model and spec.cache.mode == "Shared" and spec.cache.access_mode == "ReadWriteOnce")


def _together(name: str) -> dict[str, Any]:
    """On another node a replica could never attach the volume; unscheduled, it says why."""
    term = {"topologyKey": "kubernetes.io/hostname", "labelSelector": {"matchLabels": selector(name)}}
    return {"affinity": {"podAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [term]}}}


def _downloader(model: Model, spec: CodeModelSpec, image: str) -> dict[str, Any]:
    arguments = [model.source, model_path(model)]
    mounts = [{"name": "models", "mountPath": MODELS_PATH}, {"name": "tmp", "mountPath": "/tmp"}]  # noqa: S108
    if model.sha256 is not None:
        arguments += ["--sha256", model.sha256]
    if model.secret_ref is not None:
        arguments += ["--token-file", f"{TOKEN_DIRECTORY}/token"]
        mounts.append({"name": "token", "mountPath": TOKEN_DIRECTORY, "readOnly": True})  # type: ignore[dict-item]
    return {
        "name": DOWNLOADER,
        "image": image,
        "command": ["codemodel-fetch"],
        "args": arguments,
        "resources": _resources(spec),
        # Where no message of its own was left (an image without the command, say), the log's end is one.
        "terminationMessagePolicy": "FallbackToLogsOnError",
        "securityContext": _container_security(),
        "volumeMounts": mounts,
    }


def _server(name: str, model: Model | None, spec: CodeModelSpec, image: str) -> dict[str, Any]:
    variables = {
        "ENGINE": spec.engine.name,
        **({"MODEL_PATH": model_path(model)} if model else {}),
        "MODEL_NAME": name,
        "CONTEXT_LENGTH": spec.engine.context_length,
        "PARALLEL": spec.engine.parallel,
        "THREADS": spec.engine.threads,
        "HOST": "0.0.0.0",  # noqa: S104 - the pod's own network
        "PORT": PORT,
        "MANAGEMENT_PORT": MANAGEMENT_PORT,
        "GRACE_SECONDS": _GRACE_SECONDS,
        **({"API_KEYS": KEYS_DIRECTORY} if spec.auth else {}),
        "REPLICAS_HOST": peers_name(name),
    }
    ready = {"httpGet": {"path": "/ready", "port": "management"}, "periodSeconds": 2, "timeoutSeconds": 2}
    alive = {"httpGet": {"path": "/health", "port": "management"}, "periodSeconds": 10, "timeoutSeconds": 5}
    mounts: list[dict[str, Any]] = [{"name": "tmp", "mountPath": "/tmp"}]  # noqa: S108
    if model:
        mounts.insert(0, {"name": "models", "mountPath": MODELS_PATH, "readOnly": True})
    if spec.auth:
        mounts.append({"name": "keys", "mountPath": KEYS_DIRECTORY, "readOnly": True})
    return {
        "name": SERVER,
        "image": image,
        "command": ["codemodel-server"],
        "env": [
            *({"name": key, "value": str(value)} for key, value in variables.items()),
            {
                "name": "POD_NAME",
                "valueFrom": {"fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.name"}},
            },
        ],
        "ports": [
            {"name": "http", "containerPort": PORT, "protocol": "TCP"},
            {"name": "management", "containerPort": MANAGEMENT_PORT, "protocol": "TCP"},
        ],
        "resources": _resources(spec),
        "startupProbe": {**ready, "failureThreshold": _LOAD_SECONDS // 2},
        "readinessProbe": {**ready, "failureThreshold": 2},
        "livenessProbe": {**alive, "failureThreshold": 6},
        # Endpoints are removed while this sleeps, so that no request reaches a server that drains.
        "lifecycle": {"preStop": {"sleep": {"seconds": _UNROUTE_SECONDS}}},
        # A crash without a message of its own still shows the end of its log.
        "terminationMessagePolicy": "FallbackToLogsOnError",
        "securityContext": _container_security(),
        "volumeMounts": mounts,
    }


def _resources(spec: CodeModelSpec) -> dict[str, Any]:
    """The same for both containers: a pod is charged for the larger one, not for the sum."""
    return {
        "requests": {"cpu": spec.resources.requests.cpu, "memory": spec.resources.requests.memory},
        "limits": {"cpu": spec.resources.limits.cpu, "memory": spec.resources.limits.memory},
    }


def _container_security() -> dict[str, Any]:
    return {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }


def _volumes(name: str, model: Model | None, spec: CodeModelSpec) -> list[dict[str, Any]]:
    volumes: list[dict[str, Any]] = [{"name": "tmp", "emptyDir": {}}]
    if model and spec.cache.mode == "Shared":
        volumes.insert(0, {"name": "models", "persistentVolumeClaim": {"claimName": claim_name(name)}})
    elif model:
        volumes.insert(0, {"name": "models", "emptyDir": {"sizeLimit": spec.cache.size}})
    if model and model.secret_ref is not None:
        token = [{"key": "token", "path": "token"}]
        volumes.append({"name": "token", "secret": {**_secret(model.secret_ref), "items": token}})
    if spec.auth is not None:
        volumes.append({"name": "keys", "secret": _secret(spec.auth.secret_ref)})
    return volumes


def _secret(reference: SecretReference) -> dict[str, Any]:
    """A volume source that the server's group can read, and nobody else."""
    return {"secretName": reference.name, "defaultMode": 0o440}
