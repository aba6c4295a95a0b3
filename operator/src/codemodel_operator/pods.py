"""What is the matter with a pod, from its status. Pure functions."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from .cluster import Manifest
from .resources.labels import TEMPLATE_ANNOTATION


class Severity(IntEnum):
    """How bad it is; lower is worse."""

    STALLED = 0
    """Nothing gets better until somebody changes something."""
    TROUBLE = 1
    """Something is wrong that may go away: room on a node, a network."""
    PROGRESS = 2
    """On the way, as it should be."""


@dataclass(frozen=True)
class Finding:
    """Why a pod does not serve yet, in the terms of a condition."""

    severity: Severity
    reason: str
    message: str
    download: bool = False
    """The finding is about the download of the model."""


_IMAGE_REASONS = {"ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull"}
# Waiting is normal in these.
_STARTING_REASONS = {"ContainerCreating", "PodInitializing"}
# The first word of a termination message of codemodel-fetch.
_CLASSIFIED = re.compile(r"^([A-Z][A-Za-z0-9]+): +(\S.*)", re.DOTALL)
_PASSING_DOWNLOAD_ERRORS = {"NetworkFailed"}


def diagnose(pods: Iterable[Manifest]) -> Finding | None:
    """Return the worst finding of these pods, the same whatever their order; None when all are ready."""
    ordered = sorted(pods, key=lambda pod: str(pod["metadata"]["name"]))
    findings = [finding for pod in ordered if (finding := _diagnose(pod))]
    return min(findings, key=lambda finding: finding.severity, default=None)


def alive(pods: Iterable[Manifest], template: str | None = None) -> list[Manifest]:
    """Return the pods that count: neither ending nor evicted, and of this template when one is given."""
    return [
        pod
        for pod in pods
        if not pod["metadata"].get("deletionTimestamp")
        and pod.get("status", {}).get("phase") not in ("Failed", "Succeeded")
        and (template is None or _template(pod) == template)
    ]


def has_model(pod: Manifest, path: str) -> bool:
    """Tell whether the pod's init container is done downloading to this path."""
    download = (pod.get("spec", {}).get("initContainers") or [{}])[0]
    status = _container(pod, "initContainerStatuses")
    done = _terminated(status, "state")
    return path in (download.get("args") or []) and done is not None and done.get("exitCode") == 0


def _template(pod: Manifest) -> str | None:
    annotations: Mapping[str, str] = pod["metadata"].get("annotations") or {}
    return annotations.get(TEMPLATE_ANNOTATION)


def _diagnose(pod: Manifest) -> Finding | None:
    if _condition(pod, "Ready").get("status") == "True":
        return None
    name = pod["metadata"]["name"]
    scheduled = _condition(pod, "PodScheduled")
    if scheduled.get("status") == "False":
        text = f"Pod {name} has no node: {scheduled.get('message') or scheduled.get('reason')}"
        reason = "VolumeNotBound" if "persistentvolumeclaim" in text.lower() else "Unschedulable"
        return Finding(Severity.TROUBLE, reason, text)
    init = _container(pod, "initContainerStatuses")
    main = _container(pod, "containerStatuses")
    return (
        _waiting(init, name)
        or _failed_download(init, name)
        or _waiting(main, name)
        or _crash(main, name)
        or _progress(init, main, name)
    )


def _waiting(status: Mapping[str, Any], pod: str) -> Finding | None:
    waiting = status.get("state", {}).get("waiting") or {}
    reason, text = waiting.get("reason"), waiting.get("message") or ""
    if reason in _IMAGE_REASONS:
        return Finding(
            Severity.STALLED,
            "ImagePullFailed",
            f"Image {status.get('image')} of pod {pod} cannot be pulled; correct spec.image or the registry's "
            f"access: {text or reason}",
        )
    if reason and reason not in _STARTING_REASONS and reason != "CrashLoopBackOff":
        return Finding(Severity.STALLED, reason, f"Pod {pod} cannot start: {text or reason}")
    return None


def _failed_download(status: Mapping[str, Any], pod: str) -> Finding | None:
    end = _last_end(status)
    if end is None or end.get("exitCode") == 0:
        return None
    if end.get("reason") == "OOMKilled":
        return _out_of_memory("download", pod)
    text = (end.get("message") or "").strip()
    classified = _CLASSIFIED.match(text)
    reason, detail = classified.groups() if classified else ("DownloadFailed", text)
    severity = Severity.TROUBLE if reason in _PASSING_DOWNLOAD_ERRORS else Severity.STALLED
    detail = (
        detail[:1].upper() + detail[1:]
        or f"Download failed in pod {pod} with exit code {end.get('exitCode')} and no message"
    )
    return Finding(severity, reason, f"{detail} (attempt {_attempts(status)})", download=True)


def _crash(status: Mapping[str, Any], pod: str) -> Finding | None:
    end = _last_end(status)
    if end is None:
        return None
    if end.get("reason") == "OOMKilled":
        return _out_of_memory("server", pod)
    text = (end.get("message") or "").strip()
    return Finding(
        Severity.STALLED,
        "CrashLooping",
        f"Server in pod {pod} ended with exit code {end.get('exitCode')} "
        f"({_attempts(status)} times so far): {text or end.get('reason') or 'no message'}",
    )


def _out_of_memory(what: str, pod: str) -> Finding:
    return Finding(
        Severity.STALLED,
        "OutOfMemory",
        f"The {what} in pod {pod} needed more memory than its limit; raise spec.resources.limits.memory "
        f"or lower spec.engine.contextLength",
    )


def _progress(init: Mapping[str, Any], main: Mapping[str, Any], pod: str) -> Finding:
    if "running" in init.get("state", {}):
        return Finding(Severity.PROGRESS, "Downloading", f"Pod {pod} downloads the model", download=True)
    if "running" in main.get("state", {}):
        return Finding(Severity.PROGRESS, "LoadingModel", f"Server in pod {pod} loads the model")
    return Finding(
        Severity.PROGRESS, "Starting", f"Pod {pod} starts; if that lasts, see kubectl describe pod {pod}"
    )


def _last_end(status: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """How the container last ended: right now, or before the restart that is under way."""
    return _terminated(status, "state") or _terminated(status, "lastState")


def _terminated(status: Mapping[str, Any], which: str) -> Mapping[str, Any] | None:
    ended: Mapping[str, Any] | None = (status.get(which) or {}).get("terminated")
    return ended


def _attempts(status: Mapping[str, Any]) -> int:
    """Starts so far that ended: restarts, and the present one when it has ended too."""
    ended_now = _terminated(status, "state") is not None or bool(status.get("state", {}).get("waiting"))
    return int(status.get("restartCount") or 0) + (1 if ended_now else 0)


def _container(pod: Manifest, which: str) -> Mapping[str, Any]:
    statuses = pod.get("status", {}).get(which) or [{}]
    first: Mapping[str, Any] = statuses[0]
    return first


def _condition(pod: Manifest, type_: str) -> Mapping[str, Any]:
    conditions = pod.get("status", {}).get("conditions") or []
    found: Mapping[str, Any] = next((c for c in conditions if c.get("type") == type_), {})
    return found
