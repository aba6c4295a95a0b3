"""What goes wrong while the load holds: a pod is killed, and the operator restarts."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from e2e.api import Api
from e2e.applying import apply, wait_until_ready
from e2e.cluster import settings
from e2e.codemodels import LOAD_MODEL, READY_SECONDS, pods
from e2e.kubectl import kubectl
from e2e.load.driver import Load, Plan, running
from e2e.timeline import scaling
from e2e.timeline.entries import changes
from e2e.timeline.measurements import FIRST_VALUE_SECONDS, wait_for_first_value
from e2e.timeline.recorder import Recorder
from e2e.waiting import until

NAME = "faulty"
URL = "http://127.0.0.1:8082"
MOST = 2
CHANGED_COOLDOWN = 240
OPERATOR = "deployment/codemodel-operator"

NOTICED_SECONDS = 5
"""Until no connection is led to a pod that was killed."""

pytestmark = pytest.mark.timeout(FIRST_VALUE_SECONDS + scaling.UP_SECONDS + 3 * READY_SECONDS)


@pytest.fixture(autouse=True)
def operator_stays_up() -> None:
    """Not here: the last test restarts it."""


@pytest.fixture(scope="module")
def load(api: Api, namespace: str) -> Iterator[Load]:
    """A load under which the autoscaler has asked for a second replica."""
    change = {
        "model": LOAD_MODEL,
        "resources": {"requests": {"cpu": "100m"}, "limits": {"cpu": "300m"}},
        # Long: nothing that is seen here is a scale-down by the autoscaler.
        "scaling": {"maxReplicas": MOST, "target": 70, "scaleDownCooldownSeconds": 300},
        "service": {"type": "NodePort", "nodePort": 30082},
    }
    apply(namespace, NAME, change)
    wait_until_ready(namespace, NAME)
    wait_for_first_value(api, namespace, NAME)
    with running(Plan(URL, clients=6, seconds=600, max_tokens=32)) as load:
        wait_until_all_answer(api, namespace, load, scaling.UP_SECONDS + READY_SECONDS)
        yield load


@pytest.fixture
def recorder(load: Load, namespace: str, artifacts: Path) -> Iterator[Recorder]:
    with Recorder(namespace, artifacts / "timeline.jsonl") as recorder:
        until(lambda: recorder.latest("Deployment", NAME), what="the recorder to watch", seconds=20)
        yield recorder


def wait_until_all_answer(api: Api, namespace: str, load: Load, seconds: float) -> None:
    """Wait until there are as many replicas as there may be, and each of them has answered."""

    def all_answer() -> bool:
        there = {pod["metadata"]["name"] for pod in pods(api, namespace, NAME)}
        return len(there) == MOST and there <= {request.replica for request in list(load.requests)}

    until(all_answer, what="every replica to answer", seconds=seconds)


def test_a_killed_pod_costs_its_own_requests_only(
    api: Api, namespace: str, load: Load, recorder: Recorder
) -> None:
    killed, left = (pod["metadata"]["name"] for pod in pods(api, namespace, NAME))
    at = recorder.mark("pod-killed")
    kubectl("delete", "pod", killed, "--grace-period=0", "--force", namespace=namespace)
    until(
        lambda: killed not in {pod["metadata"]["name"] for pod in pods(api, namespace, NAME)},
        what="the killed pod to be gone",
        seconds=20,
    )
    wait_until_all_answer(api, namespace, load, READY_SECONDS)

    failed = [request for request in list(load.requests) if request.failed]
    assert [request for request in failed if not at - 30 < request.sent < at + NOTICED_SECONDS] == []
    assert len(failed) <= 2 * load.plan.clients
    assert any(request.replica == left and request.sent > at for request in list(load.requests))
    assert changes(recorder.entries, "Deployment", NAME, "replicas") == []


def test_an_operator_that_restarts_keeps_the_replicas(
    api: Api, namespace: str, load: Load, recorder: Recorder
) -> None:
    before = len(load.requests)
    at = recorder.mark("operator-restarts")
    kubectl("rollout", "restart", OPERATOR, namespace=settings.OPERATOR_NAMESPACE)
    kubectl("rollout", "status", OPERATOR, "--timeout=120s", namespace=settings.OPERATOR_NAMESPACE)
    # The new one has work to do on this CodeModel, and the number of replicas is no part of it.
    apply_cooldown(api, namespace)

    autoscaler = api.read("HorizontalPodAutoscaler", NAME, namespace)
    assert autoscaler["spec"]["behavior"]["scaleDown"]["stabilizationWindowSeconds"] == CHANGED_COOLDOWN
    assert changes(recorder.entries, "Deployment", NAME, "replicas") == []
    assert api.read("CodeModel", NAME, namespace)["status"]["readyReplicas"] == MOST
    since = list(load.requests)[before:]
    assert [request for request in since if request.failed] == []
    assert any(request.succeeded and request.sent > at for request in since)


def apply_cooldown(api: Api, namespace: str) -> None:
    """Change the cooldown, and wait until the operator has seen to it."""
    scaling_change = {"spec": {"scaling": {"scaleDownCooldownSeconds": CHANGED_COOLDOWN}}}
    api.merge("CodeModel", NAME, namespace, scaling_change)
    until(
        lambda: api.read("CodeModel", NAME, namespace),
        lambda found: found["status"]["observedGeneration"] == found["metadata"]["generation"],
        what="the operator to have seen the change",
        seconds=60,
    )
