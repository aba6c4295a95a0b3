"""The words of scheduler, kubelet and API server, as reasons with what to do."""

import pytest

from codemodel_operator.diagnosis import Severity, diagnose, evicted
from codemodel_operator.refusals import explain_refusal
from codemodel_operator.world import World, unexplained

from .test_status import (
    DOWNLOADED,
    OWNER,
    SPEC,
    UNSCHEDULABLE,
    deployment,
    ended,
    pod,
    running,
    waiting,
)


@pytest.mark.parametrize(
    ("text", "reason", "advice"),
    [
        (
            "0/3 nodes are available: 1 Insufficient cpu, 2 Insufficient memory. preemption: 0/3 nodes …",
            "InsufficientMemory",
            "lower spec.resources.requests.memory or add a node",
        ),
        (
            "0/1 nodes are available: 1 Insufficient cpu.",
            "InsufficientCPU",
            "lower spec.resources.requests.cpu",
        ),
        ("0/1 nodes are available: 1 Insufficient example.com/gpu.", "Unschedulable", "add a node"),
        (
            "0/1 nodes are available: 1 node(s) had untolerated taint(s).",
            "NodesTainted",
            "kubectl describe nodes",
        ),
        (
            "0/2 nodes are available: 1 Insufficient memory, 1 node(s) had untolerated taint(s).",
            "InsufficientMemory",
            "spec.resources.requests.memory",
        ),
        (
            "0/1 nodes are available: 1 node(s) didn't match pod affinity rules.",
            "Unschedulable",
            "add a node",
        ),
    ],
)
def test_why_no_node_takes_a_pod(text: str, reason: str, advice: str) -> None:
    finding = diagnose([pod(conditions=({**UNSCHEDULABLE, "message": text},))], {})
    assert finding
    assert (finding.severity, finding.reason) == (Severity.TROUBLE, reason)
    assert text.rstrip(".") in finding.message
    assert advice in finding.message


@pytest.mark.parametrize(
    ("text", "reason", "advice"),
    [
        ('Usage of EmptyDir volume "models" exceeds the limit "1Mi".', "Evicted", "a larger spec.cache.size"),
        (
            "The node was low on resource: memory. Threshold quantity: 100Mi, available: 80Mi.",
            "NodePressure",
            "add room on the nodes",
        ),
        ("The node had condition: [DiskPressure].", "NodePressure", "add room on the nodes"),
    ],
)
def test_why_a_pod_was_evicted(text: str, reason: str, advice: str) -> None:
    gone = pod("gone")
    gone["status"] |= {"phase": "Failed", "reason": "Evicted", "message": text}
    finding = evicted([gone], "new", {})
    assert finding
    assert finding.reason == reason
    assert f"{text.rstrip('.')}; " in finding.message
    assert advice in finding.message


def test_an_evicted_pod_that_ended_cleanly_is_explained_by_its_events() -> None:
    """The kubelet shows it as Succeeded, without a reason."""
    gone = pod("gone")
    gone["status"]["phase"] = "Succeeded"
    world = World(OWNER, SPEC, {"Deployment": deployment()}, [gone, pod("next", init=running())], ())
    assert unexplained(world) == ["gone"]
    finding = evicted(
        world.pods, "new", {"gone": 'Usage of EmptyDir volume "models" exceeds the limit "1Mi". '}
    )
    assert finding
    assert (
        'Pod gone was evicted: Usage of EmptyDir volume "models" exceeds the limit "1Mi"; ' in finding.message
    )


def test_a_crash_without_a_message_of_its_own_shows_the_last_line_of_the_log() -> None:
    log = 'Traceback (most recent call last):\n  File "x.py", line 1\nValueError: no such key\n'
    crashing = pod(init=DOWNLOADED, main=waiting("CrashLoopBackOff", lastState=ended(1, log), restartCount=2))
    finding = diagnose([crashing], {})
    assert finding
    assert finding.message.endswith("last with exit code 1: ValueError: no such key")


@pytest.mark.parametrize(
    ("why", "text"),
    [
        ("OOMKilled", "needed more memory"),
        ("Error", "was killed; it hung, or most likely needed more memory"),
    ],
)
def test_who_is_killed_is_out_of_memory_also_if_the_runtime_missed_it(why: str, text: str) -> None:
    finding = diagnose([pod(init=DOWNLOADED, main={"state": ended(137, "{}", why), "restartCount": 2})], {})
    assert finding
    assert (finding.severity, finding.reason) == (Severity.STALLED, "OutOfMemory")
    assert text in finding.message


def test_an_image_is_the_reason_before_the_pod_itself_says_so() -> None:
    """The event comes first; another reason in between would only be an Event more."""
    starting = pod(init=waiting("PodInitializing"))
    finding = diagnose([starting], {"p1": 'Failed to pull image "server:1": not found'})
    assert finding
    assert (finding.severity, finding.reason) == (Severity.STALLED, "ImagePullFailed")
    assert finding.message.startswith("Image server:1 of pod p1 cannot be pulled; correct spec.image, ")


def test_an_image_with_a_model_is_named_instead_of_the_servers() -> None:
    text = 'Back-off pulling image "coder:1": ErrImagePull: not found'
    finding = diagnose([pod(main=waiting("ImagePullBackOff", text))], {})
    assert finding
    assert finding.message.startswith("Image coder:1 of pod p1 cannot be pulled; correct spec.model.source, ")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('pods "a" is forbidden: exceeded quota: small, requested: pods=1, used: pods=0', "QuotaExceeded"),
        ('pods "a" is forbidden: failed quota: small: must specify limits.cpu for: server', "QuotaExceeded"),
        ('admission webhook "images.example" denied the request: unsigned image', "AdmissionRefused"),
        (
            "pods \"a\" is forbidden: ValidatingAdmissionPolicy 'p' with binding 'b' denied request: no",
            "AdmissionRefused",
        ),
        (
            'pods "a" is forbidden: violates PodSecurity "restricted:latest": hostPath volumes',
            "AdmissionRefused",
        ),
        (
            'pods "a" is forbidden: maximum memory usage per Container is 1Gi, but limit is 2Gi',
            "AdmissionRefused",
        ),
        ('services is forbidden: User "operator" cannot patch resource "services"', "Otherwise"),
    ],
)
def test_who_refused_an_object(text: str, reason: str) -> None:
    found, message = explain_refusal(text, otherwise="Otherwise")
    assert found == reason
    assert message.startswith(text)
    assert (message == text) == (reason == "Otherwise")
