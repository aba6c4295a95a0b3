"""What a pod is and how far it has come, from its status. Pure functions."""

from collections.abc import Iterable, Mapping
from typing import Any

from .cluster import Manifest
from .resources.download import DOWNLOADER
from .resources.labels import TEMPLATE_ANNOTATION


def downloading(pods: Iterable[Manifest]) -> str | None:
    """Return the name of the pod that downloads now, None when none does; the others wait for its lock."""
    names = sorted(
        str(pod["metadata"]["name"])
        for pod in pods
        if "running" in container(pod, "initContainerStatuses", DOWNLOADER).get("state", {})
    )
    return names[0] if names else None


def last_evicted(pods: Iterable[Manifest], template: str | None) -> Manifest | None:
    """Return the pod of this template that was thrown off its node last, None when none was."""
    ended = [pod for pod in pods if _thrown_off(pod) and template_of(pod) == template]
    return max(
        ended,
        key=lambda pod: (pod["metadata"].get("creationTimestamp") or "", pod["metadata"]["name"]),
        default=None,
    )


def _thrown_off(pod: Manifest) -> bool:
    status: Manifest = pod.get("status", {})
    # The kubelet forgets the reason when the server ends cleanly; by itself, a server never does.
    return status.get("reason") == "Evicted" or status.get("phase") == "Succeeded"


def alive(pods: Iterable[Manifest], template: str | None = None) -> list[Manifest]:
    """Return the pods that count: neither ending nor evicted, and of this template when one is given."""
    return [
        pod
        for pod in pods
        if not pod["metadata"].get("deletionTimestamp")
        and pod.get("status", {}).get("phase") not in ("Failed", "Succeeded")
        and (template is None or template_of(pod) == template)
    ]


def is_ready(pod: Manifest) -> bool:
    """Tell whether the pod answers requests."""
    return condition(pod, "Ready").get("status") == "True"


def ready_since(pod: Manifest) -> str | None:
    """Return since when the pod answers requests (RFC 3339, UTC), None when it does not."""
    ready = condition(pod, "Ready")
    return ready.get("lastTransitionTime") if ready.get("status") == "True" else None


def has_model(pod: Manifest, path: str) -> bool:
    """Tell whether the pod's init container is done downloading to this path."""
    download = _named(pod.get("spec", {}).get("initContainers"), DOWNLOADER)
    done = _terminated(container(pod, "initContainerStatuses", DOWNLOADER), "state")
    return path in (download.get("args") or []) and done is not None and done.get("exitCode") == 0


def template_of(thing: Manifest) -> str | None:
    """Return the fingerprint of the template that a pod was made from, or that a pod template has."""
    annotations: Mapping[str, str] = thing.get("metadata", {}).get("annotations") or {}
    return annotations.get(TEMPLATE_ANNOTATION)


def condition(pod: Manifest, type_: str) -> Mapping[str, Any]:
    """Return a condition of a pod, empty when it has none of this type."""
    conditions = pod.get("status", {}).get("conditions") or []
    found: Mapping[str, Any] = next((c for c in conditions if c.get("type") == type_), {})
    return found


def container(pod: Manifest, which: str, name: str) -> Mapping[str, Any]:
    """Return a container's status, empty when the kubelet has not begun with it.

    Args:
        pod: that it is in.
        which: containerStatuses or initContainerStatuses.
        name: of the container.
    """
    return _named(pod.get("status", {}).get(which), name)


def last_end(status: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Return how the container last ended: right now, or before the restart that is under way."""
    return _terminated(status, "state") or _terminated(status, "lastState")


def attempts(status: Mapping[str, Any]) -> int:
    """Return how many starts have ended so far: restarts, and the present one when it has ended too."""
    ended_now = _terminated(status, "state") is not None or bool(status.get("state", {}).get("waiting"))
    return int(status.get("restartCount") or 0) + (1 if ended_now else 0)


def _terminated(status: Mapping[str, Any], which: str) -> Mapping[str, Any] | None:
    ended: Mapping[str, Any] | None = (status.get(which) or {}).get("terminated")
    return ended


def _named(entries: Iterable[Mapping[str, Any]] | None, name: str) -> Mapping[str, Any]:
    """Return the entry of this name, empty when there is none. The cluster may have added others."""
    return next((entry for entry in entries or () if entry.get("name") == name), {})
