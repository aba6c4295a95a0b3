"""Conditions, from pods and children as the cluster shows them."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codemodel_operator.api.codemodel import Owner
from codemodel_operator.api.spec import CodeModelSpec
from codemodel_operator.api.status import CodeModelStatus
from codemodel_operator.apply import Problem
from codemodel_operator.resources.storage import model_path
from codemodel_operator.status import CONDITION_TYPES, compute_status, dump_status, read_status
from codemodel_operator.world import World

NOW = datetime(2030, 1, 1, tzinfo=UTC)
LATER = datetime(2030, 1, 2, tzinfo=UTC)
OWNER = Owner(name="coder", namespace="models", uid="u", generation=3)
SPEC = CodeModelSpec.model_validate({"model": {"source": "http://hub/m.gguf"}})
TEMPLATE = {"metadata": {"annotations": {"codemodel.dev/template": "new"}}}
MISMATCH = "ChecksumMismatch: expected 00, got 11: correct spec.model.sha256 or the file at http://hub/m.gguf"


def deployment(**status: Any) -> dict[str, Any]:
    return {
        "metadata": {"generation": 1},
        "spec": {"replicas": 1, "template": TEMPLATE},
        "status": {"observedGeneration": 1, "replicas": 1, "updatedReplicas": 1, **status},
    }


SERVING = deployment(readyReplicas=1, availableReplicas=1)
SERVICE = {"spec": {"ports": [{"port": 80}]}}


def pod(
    name: str = "p1",
    *,
    init: dict[str, Any] | None = None,
    main: dict[str, Any] | None = None,
    conditions: tuple[dict[str, Any], ...] = (),
    template: str = "new",
    **metadata: Any,
) -> dict[str, Any]:
    assert SPEC.model
    return {
        "metadata": {
            "name": name,
            "uid": name,
            "annotations": {"codemodel.dev/template": template},
            **metadata,
        },
        "spec": {
            "nodeName": "node",
            "initContainers": [
                {"name": "injected"},
                {"name": "download-model", "args": [SPEC.model.source, model_path(SPEC.model)]},
            ],
        },
        "status": {
            "phase": "Pending",
            "conditions": list(conditions),
            "initContainerStatuses": [
                {"name": "injected", "state": ended(0)},
                {"name": "download-model", "image": "server:1", **(init or {})},
            ],
            "containerStatuses": [
                {"name": "a-sidecar", **running()},
                {"name": "llm-service", "image": "server:1", **(main or {})},
            ],
        },
    }


def running(**more: Any) -> dict[str, Any]:
    return {"state": {"running": {}}, **more}


def waiting(reason: str, message: str = "", **more: Any) -> dict[str, Any]:
    return {"state": {"waiting": {"reason": reason, "message": message}}, **more}


def ended(code: int, message: str = "", reason: str = "Error") -> dict[str, Any]:
    return {"terminated": {"exitCode": code, "message": message, "reason": reason}}


DOWNLOADED = {"state": ended(0)}
UNSCHEDULABLE = {
    "type": "PodScheduled",
    "status": "False",
    "reason": "Unschedulable",
    "message": "0/1 nodes are available: 1 Insufficient cpu.",
}
UNBOUND = {**UNSCHEDULABLE, "message": "pod has unbound immediate PersistentVolumeClaims"}
READY_POD = pod(init=DOWNLOADED, main=running(), conditions=({"type": "Ready", "status": "True"},))


def compute(
    *pods: dict[str, Any],
    children: dict[str, Any] | None = None,
    hints: dict[str, str] | None = None,
    problems: tuple[Problem, ...] = (),
    spec: CodeModelSpec | None = SPEC,
    before: CodeModelStatus | None = None,
    now: datetime = NOW,
) -> CodeModelStatus:
    found = {"Deployment": deployment(), "Service": SERVICE, **(children or {})}
    return compute_status(
        World(OWNER, spec, found, pods, problems, hints or {}), before or CodeModelStatus(), now
    )


def verdicts(status: CodeModelStatus) -> dict[str, tuple[str, str]]:
    return {c.type: (c.status, c.reason) for c in status.conditions}


def message(status: CodeModelStatus, type_: str) -> str:
    condition = status.condition(type_)
    assert condition
    return condition.message


CASES: dict[str, tuple[dict[str, Any], str, str, str, str]] = {
    # name: (pod, reason of Ready, what its message says, status of Stalled, ModelAvailable)
    "downloading": (pod(init=running()), "Downloading", "downloads", "False", "False"),
    "wrong checksum": (
        pod(init={"state": ended(13, MISMATCH)}),
        "ChecksumMismatch",
        "got 11",
        "True",
        "False",
    ),
    "wrong checksum, waiting to try again": (
        pod(init=waiting("CrashLoopBackOff", lastState=ended(13, MISMATCH), restartCount=3)),
        "ChecksumMismatch",
        "attempt 4",
        "True",
        "False",
    ),
    "wrong checksum, trying again": (
        pod(init=running(lastState=ended(13, MISMATCH), restartCount=1)),
        "ChecksumMismatch",
        "correct spec.model.sha256",
        "True",
        "False",
    ),
    "network": (
        pod(init={"state": ended(16, "NetworkFailed: no route to hub")}),
        "NetworkFailed",
        "No route to hub (attempt 1)",
        "False",
        "False",
    ),
    "a message that begins with a URL": (
        pod(init={"state": ended(16, "NetworkFailed: http://hub/m: timed out")}),
        "NetworkFailed",
        "http://hub/m: timed out",
        "False",
        "False",
    ),
    "silent download failure": (
        pod(init={"state": ended(1)}),
        "DownloadFailed",
        "exit code 1",
        "True",
        "False",
    ),
    "download out of memory": (
        pod(init={"state": ended(137, reason="OOMKilled")}),
        "OutOfMemory",
        "limits.memory",
        "True",
        "Unknown",
    ),
    "image": (
        pod(init=waiting("ImagePullBackOff", "not found")),
        "ImagePullFailed",
        "server:1",
        "True",
        "Unknown",
    ),
    "configuration": (
        pod(init=DOWNLOADED, main=waiting("CreateContainerConfigError", "secret gone")),
        "CreateContainerConfigError",
        "secret gone",
        "True",
        "True",
    ),
    "loading": (pod(init=DOWNLOADED, main=running()), "LoadingModel", "loads", "False", "True"),
    "crash": (
        pod(
            init=DOWNLOADED,
            main=waiting("CrashLoopBackOff", lastState=ended(3, "not a GGUF"), restartCount=2),
        ),
        "CrashLooping",
        "ended 3 times, last with exit code 3: not a GGUF",
        "True",
        "True",
    ),
    "crashed once": (
        pod(init=DOWNLOADED, main=running(lastState=ended(3, "killed"), restartCount=1)),
        "Crashed",
        "exit code 3: killed",
        "False",
        "True",
    ),
    "not started once": (
        pod(init=DOWNLOADED, main=waiting("RunContainerError", "busy")),
        "CannotStart",
        "cannot be started: busy",
        "False",
        "True",
    ),
    "no such command, waiting to try again": (
        pod(
            init=DOWNLOADED,
            main=waiting(
                "CrashLoopBackOff", lastState=ended(128, "exec: no such file", "StartError"), restartCount=2
            ),
        ),
        "CannotStart",
        "no image of the inference server: exec: no such file",
        "True",
        "True",
    ),
    "no such command to download": (
        pod(
            init=waiting(
                "CrashLoopBackOff", lastState=ended(128, "exec: no such file", "StartError"), restartCount=1
            )
        ),
        "CannotStart",
        "no image of the inference server: exec: no such file",
        "True",
        "Unknown",
    ),
    "ready before, not any more": (
        pod(
            init=DOWNLOADED,
            main={
                "state": {"running": {"startedAt": "2030-01-01T00:00:00Z"}},
                "lastState": ended(3),
                "restartCount": 5,
            },
            conditions=({"type": "Ready", "status": "False", "lastTransitionTime": "2030-01-01T00:05:00Z"},),
        ),
        "NotAnswering",
        "kubectl logs p1",
        "False",
        "True",
    ),
    "crashed, running again": (
        pod(init=DOWNLOADED, main=running(lastState=ended(3, "not a GGUF"), restartCount=2)),
        "CrashLooping",
        "ended 2 times",
        "True",
        "True",
    ),
    "out of memory": (
        pod(init=DOWNLOADED, main=running(lastState=ended(137, reason="OOMKilled"), restartCount=1)),
        "OutOfMemory",
        "limits.memory",
        "True",
        "True",
    ),
    "no room": (pod(conditions=(UNSCHEDULABLE,)), "InsufficientCPU", "requests.cpu", "False", "Unknown"),
    "no volume": (pod(conditions=(UNBOUND,)), "VolumeNotBound", "unbound", "False", "Unknown"),
    "starting": (pod(init=waiting("PodInitializing")), "Starting", "being started", "False", "Unknown"),
}


@pytest.mark.parametrize("case", CASES)
def test_why_a_first_pod_does_not_serve(case: str) -> None:
    the_pod, reason, text, stalled, available = CASES[case]
    status = compute(the_pod)
    found = verdicts(status)
    assert found["Ready"] == ("False", reason)
    assert text in message(status, "Ready")
    assert found["Stalled"][0] == stalled
    assert found["Reconciling"][0] == ("False" if stalled == "True" else "True")
    assert found["ModelAvailable"][0] == available


def test_served_and_settled() -> None:
    status = compute(READY_POD, children={"Deployment": SERVING})
    assert verdicts(status) == {
        "Ready": ("True", "Available"),
        "Reconciling": ("False", "Reconciled"),
        "Stalled": ("False", "NotStalled"),
        "ModelAvailable": ("True", "Downloaded"),
        "Scaled": ("Unknown", "NotStarted"),
    }
    assert (status.replicas, status.ready_replicas, status.desired_replicas) == (1, 1, 1)
    assert status.observed_generation == 3


def test_a_failing_rollout_is_visible_while_the_old_pods_serve() -> None:
    rolling = deployment(replicas=2, updatedReplicas=1, readyReplicas=1, availableReplicas=1)
    old = {**READY_POD, "metadata": {"name": "old", "annotations": {"codemodel.dev/template": "old"}}}
    status = compute(old, pod(init={"state": ended(13, MISMATCH)}), children={"Deployment": rolling})
    found = verdicts(status)
    assert found["Ready"] == ("True", "Available")
    assert found["Stalled"] == ("True", "ChecksumMismatch")
    assert found["ModelAvailable"] == ("False", "ChecksumMismatch")
    status = compute(old, pod(init=running()), children={"Deployment": rolling})
    assert verdicts(status)["Reconciling"] == ("True", "RollingOut")
    assert "downloads" in message(status, "Reconciling")


def test_pods_that_are_on_their_way_out_do_not_count() -> None:
    bad = {"state": ended(13, MISMATCH)}
    ending = pod("ending", init=bad, deletionTimestamp="2030-01-01T00:00:00Z")
    old = pod("old", init=bad, template="old")
    evicted = pod("evicted", init=bad)
    evicted["status"]["phase"] = "Failed"
    assert verdicts(compute(ending, old, evicted, READY_POD, children={"Deployment": SERVING}))[
        "Stalled"
    ] == (
        "False",
        "NotStalled",
    )


def test_adding_replicas_is_not_reconciling() -> None:
    growing = deployment(replicas=3, updatedReplicas=3, readyReplicas=1, availableReplicas=1)
    status = compute(READY_POD, pod("p2", init=DOWNLOADED, main=running()), children={"Deployment": growing})
    assert verdicts(status)["Ready"] == ("True", "Available")
    assert verdicts(status)["Reconciling"] == ("False", "Reconciled")


def test_fewer_replicas_than_the_minimum_are_not_ready() -> None:
    spec = CodeModelSpec.model_validate(
        {"model": {"source": "http://hub/m.gguf"}, "scaling": {"minReplicas": 2}}
    )
    status = compute(READY_POD, children={"Deployment": SERVING}, spec=spec)
    assert verdicts(status)["Ready"] == ("False", "RollingOut")


def test_pods_that_cannot_be_created() -> None:
    failure = {"type": "ReplicaFailure", "status": "True", "message": "exceeded quota: compute"}
    status = compute(children={"Deployment": deployment(replicas=0, conditions=[failure])})
    assert verdicts(status)["Ready"] == ("False", "QuotaExceeded")
    assert message(status, "Stalled").startswith("Pods cannot be created: exceeded quota: compute; raise the")


def test_a_rollout_without_progress_stalls() -> None:
    late = {
        "type": "Progressing",
        "status": "False",
        "reason": "ProgressDeadlineExceeded",
        "message": 'ReplicaSet "coder-1" has timed out progressing.',
    }
    status = compute(pod(init=running()), children={"Deployment": deployment(conditions=[late])})
    assert verdicts(status)["Stalled"] == ("True", "ProgressDeadlineExceeded")
    assert message(status, "Stalled") == (
        'ReplicaSet "coder-1" has timed out progressing; '
        "kubectl describe pods -l codemodel.dev/name=coder says what it waits for"
    )


@pytest.mark.parametrize(
    ("claim_spec", "phase", "hints", "reason", "text"),
    [
        ({}, "Pending", {}, "VolumeNotBound", "no default StorageClass"),
        ({"storageClassName": "slow"}, "Pending", {}, "ProvisioningVolume", "StorageClass slow"),
        ({"storageClassName": "slow"}, "Pending", {"c": "disk full"}, "VolumeNotBound", "slow: disk full"),
        ({"storageClassName": "slow"}, "Lost", {}, "VolumeLost", "delete it"),
    ],
)
def test_why_a_volume_is_not_there(
    claim_spec: dict[str, str], phase: str, hints: dict[str, str], reason: str, text: str
) -> None:
    homeless = pod()
    del homeless["spec"]["nodeName"]
    claim = {"metadata": {"uid": "c"}, "spec": claim_spec, "status": {"phase": phase}}
    status = compute(homeless, children={"PersistentVolumeClaim": claim}, hints=hints)
    assert verdicts(status)["Ready"] == ("False", reason)
    assert text in message(status, "Ready")


def test_a_pod_that_outgrew_its_volume() -> None:
    """Each successor of an evicted pod looks as if it were on its way."""
    gone = pod("gone")
    gone["status"] |= {"phase": "Failed", "reason": "Evicted", "message": "Usage exceeds the limit."}
    successor = pod("successor", init=running())
    status = compute(gone, successor)
    assert verdicts(status)["Ready"] == ("False", "Evicted")
    assert "Usage exceeds the limit; a file" in message(status, "Ready")
    served = compute(gone, READY_POD, children={"Deployment": SERVING})
    assert verdicts(served)["Reconciling"] == ("False", "Reconciled")
    gone["metadata"]["annotations"]["codemodel.dev/template"] = "old"
    assert verdicts(compute(gone, successor))["Ready"] == ("False", "Downloading")


def test_problems_come_before_pods() -> None:
    problem = Problem("NameConflict", "Service coder exists")
    found = verdicts(compute(READY_POD, children={"Deployment": SERVING}, problems=(problem,)))
    assert found["Stalled"] == ("True", "NameConflict")
    assert found["Ready"] == ("True", "Available")


def test_an_invalid_spec_keeps_what_serves() -> None:
    problem = Problem("InvalidSpec", "spec.scaling: …")
    found = verdicts(compute(READY_POD, children={"Deployment": SERVING}, problems=(problem,), spec=None))
    assert found["Ready"] == ("True", "Available")
    assert found["Stalled"] == ("True", "InvalidSpec")


def test_the_mock_engine_needs_no_model() -> None:
    spec = CodeModelSpec.model_validate({"engine": {"name": "mock"}})
    assert verdicts(compute(spec=spec))["ModelAvailable"] == ("True", "NotNeeded")


def autoscaler(*conditions: tuple[str, str, str], **status: Any) -> dict[str, Any]:
    keys = ("type", "status", "reason")
    return {
        "HorizontalPodAutoscaler": {
            "status": {"conditions": [dict(zip(keys, c, strict=True)) for c in conditions], **status}
        }
    }


@pytest.mark.parametrize(
    ("conditions", "verdict"),
    [
        (
            (("AbleToScale", "True", "Ready"), ("ScalingActive", "True", "ValidMetricFound")),
            ("True", "ValidMetricFound"),
        ),
        ((("ScalingActive", "False", "FailedGetResourceMetric"),), ("False", "FailedGetResourceMetric")),
        ((("AbleToScale", "False", "FailedGetScale"),), ("False", "FailedGetScale")),
        ((), ("Unknown", "NotStarted")),
    ],
)
def test_what_the_autoscaler_says(conditions: tuple[Any, ...], verdict: tuple[str, str]) -> None:
    status = compute(children=autoscaler(*conditions, desiredReplicas=4))
    assert verdicts(status)["Scaled"] == verdict
    assert status.desired_replicas == 4


@pytest.mark.parametrize(
    ("ingress", "endpoint"),
    [
        ([], "http://coder.models.svc:80"),
        ([{"ip": "192.0.2.1"}], "http://192.0.2.1:80"),
        ([{"ip": "2001:db8::1"}], "http://[2001:db8::1]:80"),
        ([{"hostname": "lb.example"}], "http://lb.example:80"),
    ],
)
def test_where_clients_find_it(ingress: list[dict[str, str]], endpoint: str) -> None:
    service = {**SERVICE, "status": {"loadBalancer": {"ingress": ingress}}}
    assert compute(children={"Service": service}).endpoint == endpoint


def test_time_moves_only_with_the_status() -> None:
    first = compute(pod(init=running()))
    second = compute(pod(init={"state": ended(13, MISMATCH)}), before=first, now=LATER)
    times = {c.type: c.last_transition_time for c in second.conditions}
    assert times["Ready"] == "2030-01-01T00:00:00Z"
    assert times["Stalled"] == "2030-01-02T00:00:00Z"


NAMED = [
    {**entry[0], "metadata": {**entry[0]["metadata"], "name": f"p{n}"}}
    for n, entry in enumerate(CASES.values())
]


@given(st.permutations(NAMED))
def test_the_order_of_pods_does_not_matter(pods: list[dict[str, Any]]) -> None:
    assert compute(*pods) == compute(*NAMED)


@given(st.lists(st.sampled_from([entry[0] for entry in CASES.values()]), max_size=3), st.booleans())
def test_the_conventions_of_kstatus_hold(pods: list[dict[str, Any]], serves: bool) -> None:
    status = compute(*pods, children={"Deployment": SERVING if serves else deployment()})
    found = verdicts(status)
    assert tuple(found) == CONDITION_TYPES
    assert not (found["Stalled"][0] == "True" and found["Reconciling"][0] == "True")
    if found["Ready"][0] == "False":
        assert "True" in (found["Stalled"][0], found["Reconciling"][0])
    assert all(c.reason and c.observed_generation == 3 for c in status.conditions)
    assert read_status({"status": dump_status(status)}) == status


@pytest.mark.parametrize("source", ["pvc://models/m.gguf", "oci://coder:1/m.gguf"])
def test_a_mounted_model_is_available_once_a_replica_has_loaded_it(source: str) -> None:
    mounted = CodeModelSpec.model_validate({"model": {"source": source}})
    before, after = compute(pod(main=running()), spec=mounted), compute(READY_POD, spec=mounted)
    assert (before.condition("ModelAvailable").status, after.condition("ModelAvailable").status) == (  # type: ignore[union-attr]
        "Unknown",
        "True",
    )
    assert after.model is not None
    assert after.model.source == source


def test_a_claim_that_does_not_exist_is_named_with_what_to_do() -> None:
    missing = {**UNSCHEDULABLE, "message": 'persistentvolumeclaim "models" not found'}
    status = compute(pod(conditions=(missing,)))
    ready = status.condition("Ready")
    assert ready is not None
    assert ready.reason == "VolumeNotBound"
    assert (
        'persistentvolumeclaim "models" not found; create it, or correct spec.model.source' in ready.message
    )


def test_what_another_schema_left_does_not_hide_what_can_be_read() -> None:
    """An apply does not remove it, so the status would be written again and again."""
    ours = {
        "type": "Ready",
        "status": "True",
        "reason": "Available",
        "message": "1 of 1 replicas answer requests",
        "observedGeneration": 1,
        "lastTransitionTime": "2026-01-01T00:00:00Z",
    }
    left = {"observedGeneration": 1, "endpoint": {}, "conditions": [{"type": "Ready"}, ours, "Ready"]}
    status = read_status({"status": left})
    assert (status.observed_generation, status.endpoint) == (1, None)
    assert [condition.reason for condition in status.conditions] == ["Available"]
