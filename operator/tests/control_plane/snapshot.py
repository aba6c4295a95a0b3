"""What exists in a namespace, without what differs between two runs that did the same."""

import json
from typing import Any

from codemodel_operator.api import KIND
from codemodel_operator.diff import APPLIED_ANNOTATION
from codemodel_operator.resources import ROLES
from codemodel_operator.resources.labels import TEMPLATE_ANNOTATION

from .api import Api, Manifest

KINDS = (KIND, *sorted({kind for kind, _ in ROLES.values()}))

# Fingerprints with the uid of the CodeModel, and the count of rollouts: others in each run.
_VARYING = (APPLIED_ANNOTATION, "deployment.kubernetes.io/revision")
# Chosen by the cluster, anew for each object.
_ALLOCATED = ("clusterIP", "clusterIPs", "nodePort", "healthCheckNodePort", "volumeName")


def snapshot(api: Api, namespace: str) -> dict[str, Manifest]:
    """Return the CodeModels and all that the operator makes, by kind and name, and the pods by their template.

    Pods are what the operator never writes, but what it must not replace; their names are random.
    """
    found: dict[str, Manifest] = {}
    for kind in KINDS:
        for live in api.list(kind, namespace):
            if (kind, live["metadata"]["name"]) != ("Service", "kubernetes"):
                found[f"{kind} {live['metadata']['name']}"] = _comparable(kind, live, namespace)
    found["Pods"] = {"templates": sorted(_template(pod) for pod in api.list("Pod", namespace))}
    return found


def differences(one: Any, other: Any, path: str = "") -> list[str]:
    """Return where two snapshots differ, for an error message."""
    if isinstance(one, dict) and isinstance(other, dict):
        return [
            line
            for key in sorted({*one, *other})
            for line in differences(one.get(key), other.get(key), f"{path}.{key}")
        ]
    return [] if one == other else [f"{path.strip('.')}: {one!r} != {other!r}"]


def _comparable(kind: str, live: Manifest, namespace: str) -> Manifest:
    metadata = live["metadata"]
    annotations = metadata.get("annotations") or {}
    content = {
        "labels": metadata.get("labels"),
        "annotations": {name: value for name, value in annotations.items() if name not in _VARYING},
        "ends": "deletionTimestamp" in metadata,
        "finalizers": metadata.get("finalizers"),
        "owners": [(owner["kind"], owner["name"]) for owner in metadata.get("ownerReferences") or ()],
        "spec": _without_allocated(live["spec"]),
        **({"status": _status(live)} if kind == KIND else {}),
    }
    # The name of the namespace is in endpoints and messages.
    plain: Manifest = json.loads(json.dumps(content, sort_keys=True).replace(namespace, "NAMESPACE"))
    return plain


def _without_allocated(node: Any) -> Any:
    """Keep that there is a value, and not which."""
    if isinstance(node, dict):
        return {key: "…" if key in _ALLOCATED else _without_allocated(value) for key, value in node.items()}
    return [_without_allocated(item) for item in node] if isinstance(node, list) else node


def _status(live: Manifest) -> Manifest:
    """Without times and what has been, and with generations counted from the present one."""
    status = dict(live.get("status") or {})
    status.pop("scaling", None)  # a timeline
    generation = live["metadata"]["generation"]
    status["behind"] = generation - status.pop("observedGeneration", 0)
    status["conditions"] = [
        {
            **{key: value for key, value in condition.items() if key != "lastTransitionTime"},
            "observedGeneration": generation - condition["observedGeneration"],
        }
        for condition in status.get("conditions", [])
    ]
    return status


def _template(pod: Manifest) -> str:
    return str((pod["metadata"].get("annotations") or {}).get(TEMPLATE_ANNOTATION))
