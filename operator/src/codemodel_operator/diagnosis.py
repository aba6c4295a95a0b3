"""What is the matter with a pod: its status as a reason, and what to do. Pure functions."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from .cluster import Manifest
from .pods import attempts, condition, container, is_ready, last_end, last_evicted
from .resources.deployment import SERVER
from .resources.download import DOWNLOADER

Hints = Mapping[str, str]
"""What Kubernetes Events warn of, by the uid of the object that they are about."""


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


_IMAGE_REASONS = {
    "ErrImagePull",
    "ImagePullBackOff",
    "InvalidImageName",
    "ErrImageNeverPull",
    "ImageInspectError",
    "RegistryUnavailable",
    "SignatureValidationFailed",
}
# Waiting is normal in these.
_STARTING_REASONS = {"ContainerCreating", "PodInitializing"}
# The container's process could not be started: seen while it waits, and in how it ended.
_UNSTARTABLE_REASONS = {"RunContainerError", "StartError", "ContainerCannotRun"}
# The first word of a termination message of codemodel-fetch.
_CLASSIFIED = re.compile(r"^([A-Z][A-Za-z0-9]+): +(\S.*)", re.DOTALL)
# In the scheduler's words: what no node has enough of.
_INSUFFICIENT = re.compile(r"\bInsufficient ([\w./-]+[\w-])")
# In the kubelet's words.
_LOW_NODE = re.compile(r"[Tt]he node (?:was low on resource|had condition)")
_PULLING = re.compile(r"Failed to pull image|Error: (?:ErrImagePull|ImagePullBackOff)")
_IMAGE = re.compile(r'\bimage "([^"]+)"')
_NO_SECRET = re.compile(r'secret "[^"]+" not found')
_CREATE_IT = "create the Secret, or correct spec.auth.secretRef or spec.model.secretRef"
# Ended by SIGKILL: 128 + 9.
_KILLED = 137
_PASSING_DOWNLOAD_ERRORS = {"NetworkFailed"}


def diagnose(pods: Iterable[Manifest], hints: Hints) -> Finding | None:
    """Return the worst finding of these pods, the same whatever their order; None when all are ready."""
    ordered = sorted(pods, key=lambda pod: str(pod["metadata"]["name"]))
    findings = [finding for pod in ordered if (finding := _diagnose(pod, hints))]
    return min(findings, key=lambda finding: finding.severity, default=None)


def silent(pod: Manifest) -> bool:
    """Tell whether the pod's own status does not say why it has not started yet: only Events can."""
    finding = _diagnose(pod, {})
    return finding is not None and finding.reason == "Starting"


def evicted(pods: Iterable[Manifest], template: str | None, hints: Hints) -> Finding | None:
    """Return why the last pod of this template was thrown off its node, None when none was.

    Its successor starts as if nothing had happened, and may end in the same way.
    """
    last = last_evicted(pods, template)
    if last is None:
        return None
    name = last["metadata"]["name"]
    text = (
        last["status"].get("message") or hints.get(last["metadata"]["uid"]) or "kubectl get events says why"
    )
    if _LOW_NODE.search(text):
        reason, advice = "NodePressure", "free or add room on the nodes, or lower what the replicas use"
    else:
        reason, advice = "Evicted", "a file that outgrows its volume needs a larger spec.cache.size"
    return Finding(Severity.TROUBLE, reason, f"Pod {name} was evicted: {text.strip(' .')}; {advice}")


def _diagnose(pod: Manifest, hints: Hints) -> Finding | None:
    if is_ready(pod):
        return None
    ready = condition(pod, "Ready")
    name = pod["metadata"]["name"]
    init = container(pod, "initContainerStatuses", DOWNLOADER)
    main = container(pod, "containerStatuses", SERVER)
    return (
        _unscheduled(pod)
        or _waiting(init, name)
        or _failed_download(init, name)
        or _waiting(main, name)
        or _silenced(main, name, since=ready.get("lastTransitionTime") or "")
        or _crash(main, name)
        or _progress(init, main, name, hints.get(pod["metadata"].get("uid", "")))
    )


def _unscheduled(pod: Manifest) -> Finding | None:
    scheduled = condition(pod, "PodScheduled")
    if scheduled.get("status") != "False":
        return None
    text = scheduled.get("message") or scheduled.get("reason") or "no message"
    reason, advice = _no_node(text)
    message = f"Pod {pod['metadata']['name']} has no node: {text.rstrip('.')}{advice}"
    return Finding(Severity.TROUBLE, reason, message)


def _no_node(text: str) -> tuple[str, str]:
    """Why the scheduler finds no node, and what to do, from its message."""
    lacking = set(_INSUFFICIENT.findall(text))
    if "persistentvolumeclaim" in text.lower():
        reason = "VolumeNotBound"
        advice = "; create it, or correct spec.model.source" if "not found" in text else ""
    elif "memory" in lacking:
        reason, advice = "InsufficientMemory", "; lower spec.resources.requests.memory or add a node"
    elif "cpu" in lacking:
        reason, advice = "InsufficientCPU", "; lower spec.resources.requests.cpu or add a node"
    elif "untolerated taint" in text and not lacking:
        # Which taint, the scheduler leaves out; a node under pressure has one.
        reason = "NodesTainted"
        advice = "; kubectl describe nodes says why: free the node (memory, disk) or add one"
    else:
        reason, advice = "Unschedulable", "; lower spec.resources.requests or add a node"
    return reason, advice


def _waiting(status: Mapping[str, Any], pod: str) -> Finding | None:
    waiting = status.get("state", {}).get("waiting") or {}
    reason, text = waiting.get("reason"), waiting.get("message") or ""
    if reason in _IMAGE_REASONS:
        return _image_not_pulled(status, text or reason, pod)
    if reason in _UNSTARTABLE_REASONS:
        return _unstartable(text or reason, status, pod)
    if reason and reason not in _STARTING_REASONS and reason != "CrashLoopBackOff":
        return Finding(Severity.STALLED, reason, f"Pod {pod} cannot start: {text or reason}")
    return None


def _image_not_pulled(status: Mapping[str, Any], text: str, pod: str) -> Finding:
    """A container waits for its own image, or for that of an oci:// source, which the text names then."""
    own = status.get("image")
    named = found[1] if (found := _IMAGE.search(text)) else own
    field = "spec.image" if named == own else "spec.model.source"
    message = (
        f"Image {named} of pod {pod} cannot be pulled; correct {field}, or the registry's access: {text}"
    )
    return Finding(Severity.STALLED, "ImagePullFailed", message)


def _unstartable(text: str, status: Mapping[str, Any], pod: str) -> Finding:
    # A busy node may fail once; an image without our program fails every time.
    severity = Severity.TROUBLE if attempts(status) == 1 else Severity.STALLED
    advice = "; spec.image is no image of the inference server" if "exec:" in text else ""
    return Finding(severity, "CannotStart", f"Container of pod {pod} cannot be started{advice}: {text}")


def _failed_download(status: Mapping[str, Any], pod: str) -> Finding | None:
    end = last_end(status)
    if end is None or end.get("exitCode") == 0:
        return None
    text = (end.get("message") or "").strip()
    if end.get("exitCode") == _KILLED:
        return _killed("download", end, pod)
    if end.get("reason") in _UNSTARTABLE_REASONS:
        return _unstartable(text, status, pod)
    classified = _CLASSIFIED.match(text)
    reason, detail = classified.groups() if classified else ("DownloadFailed", _last_line(text))
    severity = Severity.TROUBLE if reason in _PASSING_DOWNLOAD_ERRORS else Severity.STALLED
    detail = (
        capitalised(detail)
        or f"Download failed in pod {pod} with exit code {end.get('exitCode')} and no message"
    )
    return Finding(severity, reason, f"{detail} (attempt {attempts(status)})", download=True)


def _last_line(text: str) -> str:
    """Of a message that is none of ours it is the end of the log, and the error is the last line of it."""
    return text.splitlines()[-1].strip() if text else ""


def capitalised(text: str) -> str:
    """Return the text with a capital first letter, unless it begins with no ordinary word but a URL or name."""
    return text[:1].upper() + text[1:] if text.split(" ", 1)[0].isalpha() else text


def _silenced(status: Mapping[str, Any], pod: str, *, since: str) -> Finding | None:
    """A server that was ready in its present life; how an earlier one ended does not matter then."""
    running = status.get("state", {}).get("running") or {}
    if running and since > (running.get("startedAt") or since):
        return Finding(
            Severity.TROUBLE,
            "NotAnswering",
            f"Server in pod {pod} runs but no longer says that it is ready; see kubectl logs {pod}",
        )
    return None


def _crash(status: Mapping[str, Any], pod: str) -> Finding | None:
    end = last_end(status)
    if end is None:
        return None
    if end.get("exitCode") == _KILLED:
        return _killed("server", end, pod)
    text = (end.get("message") or "").strip()
    if end.get("reason") in _UNSTARTABLE_REASONS:
        return _unstartable(text, status, pod)
    cause = f"with exit code {end.get('exitCode')}: {_last_line(text) or end.get('reason') or 'no message'}"
    if (times := attempts(status)) == 1:
        return Finding(Severity.TROUBLE, "Crashed", f"Server in pod {pod} ended {cause}")
    return Finding(Severity.STALLED, "CrashLooping", f"Server in pod {pod} ended {times} times, last {cause}")


def _killed(what: str, end: Mapping[str, Any], pod: str) -> Finding:
    # containerd now and then misses that it was for memory; the kubelet itself kills only what hangs.
    cause = "needed" if end.get("reason") == "OOMKilled" else "was killed; it hung, or most likely needed"
    return Finding(
        Severity.STALLED,
        "OutOfMemory",
        f"The {what} in pod {pod} {cause} more memory than its limit; raise spec.resources.limits.memory "
        f"or lower spec.engine.contextLength or spec.engine.parallel",
    )


def _progress(init: Mapping[str, Any], main: Mapping[str, Any], pod: str, hint: str | None) -> Finding:
    if "running" in init.get("state", {}):
        return Finding(Severity.PROGRESS, "Downloading", f"Pod {pod} downloads the model", download=True)
    if "running" in main.get("state", {}):
        return Finding(Severity.PROGRESS, "LoadingModel", f"Server in pod {pod} loads the model")
    if hint and _PULLING.search(hint):
        # The kubelet says so in the pod itself a moment later.
        return _image_not_pulled(main, hint, pod)
    if hint:
        advice = f"; {_CREATE_IT}" if _NO_SECRET.search(hint) else ""
        return Finding(Severity.TROUBLE, "CannotStart", f"Pod {pod} cannot start yet: {hint}{advice}")
    return Finding(Severity.PROGRESS, "Starting", f"Pod {pod} is being started on its node")
