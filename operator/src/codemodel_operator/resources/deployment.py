"""The Deployment: an init container that downloads the model, and the server."""

from typing import Any

from ..api.codemodel import Owner
from ..api.spec import CodeModelSpec, Model
from ..fingerprint import fingerprint
from .container import pulled, resources, security
from .download import Downloads, build_downloader
from .labels import TEMPLATE_ANNOTATION, labels, metadata, selector
from .peers import peers_name
from .ports import MANAGEMENT_PORT, PORT
from .storage import MODELS_PATH, model_path
from .volumes import KEYS_DIRECTORY, build_volumes

SERVER = "llm-service"
"""Name of the container that answers requests."""

USER = 65532
"""The unprivileged user of the server image; also the group that owns the volumes."""

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


def build_deployment(
    owner: Owner, spec: CodeModelSpec, *, image: str, downloads: Downloads
) -> dict[str, Any]:
    """Return the Deployment, without spec.replicas: that belongs to the autoscaler while anything is to run."""
    pod = _pod(owner.name, spec, image, downloads)
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
            # The autoscaler leaves a Deployment alone that has zero.
            **({"replicas": 0} if spec.suspend else {}),
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


def _pod(name: str, spec: CodeModelSpec, image: str, downloads: Downloads) -> dict[str, Any]:
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
        # None is said, or an overwrite would leave the one that was, with volumes that are no more.
        "initContainers": [build_downloader(model, spec, image, downloads)] if model else [],
        "containers": [_server(name, spec.served, spec, image)],
        "volumes": build_volumes(name, spec),
    }


def _one_node(model: Model | None, spec: CodeModelSpec) -> bool:
    """Tell whether the replicas share a volume that only one node can mount."""
    return bool(model and spec.cache.mode == "Shared" and spec.cache.access_mode == "ReadWriteOnce")


def _together(name: str) -> dict[str, Any]:
    """On another node a replica could never attach the volume; unscheduled, it says why."""
    term = {"topologyKey": "kubernetes.io/hostname", "labelSelector": {"matchLabels": selector(name)}}
    return {"affinity": {"podAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [term]}}}


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
        **pulled(image),
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
        "resources": resources(spec),
        "startupProbe": {**ready, "failureThreshold": _LOAD_SECONDS // 2},
        "readinessProbe": {**ready, "failureThreshold": 2},
        "livenessProbe": {**alive, "failureThreshold": 6},
        # Endpoints are removed while this sleeps, so that no request reaches a server that drains.
        "lifecycle": {"preStop": {"sleep": {"seconds": _UNROUTE_SECONDS}}},
        # A crash without a message of its own still shows the end of its log.
        "terminationMessagePolicy": "FallbackToLogsOnError",
        "securityContext": security(),
        "volumeMounts": mounts,
    }
