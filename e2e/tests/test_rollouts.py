"""Replicas come and go under streams that run: a rollout, a deleted pod, fewer replicas. None is cut off."""

import json
import time
from collections.abc import Callable

import pytest

from e2e import chat
from e2e.api import Api
from e2e.applying import apply, wait_until_ready
from e2e.codemodels import READY_SECONDS, merged
from e2e.failures import MOCK
from e2e.kubectl import kubectl
from e2e.load.driver import Load, Plan, running
from e2e.load.results import Request
from e2e.waiting import until

NAME = "rolling"
URL = "http://127.0.0.1:8081"
REPLICAS = 3
STREAMS = 170
"""At least so many in each test, so more than 500 in all."""

CLIENTS = 16
TOKENS = 75
"""A second and a half for each stream: mock writes 50 tokens a second."""

SPEC = merged(
    MOCK,
    {
        # One replica takes all clients, so that none is sent away.
        "engine": {"parallel": CLIENTS},
        "resources": {"requests": {"cpu": "50m"}},
        # What mock uses is never a reason to scale.
        "scaling": {
            "minReplicas": REPLICAS,
            "maxReplicas": REPLICAS,
            "target": 1000,
            "scaleDownCooldownSeconds": 0,
        },
        "service": {"type": "NodePort", "nodePort": 30081},
    },
)

CHANGE_SECONDS = READY_SECONDS + 60
"""For the last old pod to be gone: it has a minute."""


@pytest.fixture(scope="module", autouse=True)
def serving(api: Api, namespace: str) -> None:
    """A CodeModel with three replicas that answer."""
    apply(namespace, NAME, SPEC)
    wait_until_ready(namespace, NAME)
    chat.until_it_answers(URL)


def leaving(api: Api, namespace: str) -> set[str]:
    """Names of the pods that are on their way out."""
    pods = api.list("Pod", namespace, f"codemodel.dev/name={NAME}")
    return {pod["metadata"]["name"] for pod in pods if "deletionTimestamp" in pod["metadata"]}


def change_under_load(
    api: Api, namespace: str, change: Callable[[], object], leaves: int
) -> tuple[Load, dict[str, float]]:
    """Change something while streams run; return the load, and when the pods that went were first seen going."""
    gone: dict[str, float] = {}

    def left() -> bool:
        here = leaving(api, namespace)
        gone.update({name: time.time() for name in here - set(gone)})
        return len(gone) >= leaves and not here

    with running(Plan(URL, CLIENTS, seconds=CHANGE_SECONDS + 60, max_tokens=TOKENS)) as load:
        until(lambda: len(load.requests) >= 2 * CLIENTS, what="the load to be there", seconds=30)
        change()
        until(left, what=f"{leaves} pods to have left", seconds=CHANGE_SECONDS)
        until(lambda: len(load.requests) >= STREAMS, what=f"{STREAMS} streams", seconds=60)
    return load, gone


def assert_none_was_cut_off(load: Load, gone: dict[str, float]) -> None:
    assert [request for request in load.requests if not request.succeeded] == []
    # Else nothing was proved: a pod that was already going was answering somebody.
    assert [request for request in load.requests if was_running(request, gone)] != []


def was_running(request: Request, gone: dict[str, float]) -> bool:
    seen = gone.get(request.replica or "")
    return seen is not None and request.sent <= seen <= request.ended


def patch(namespace: str, change: object) -> None:
    kubectl("patch", "codemodel", NAME, "--type=merge", "-p", json.dumps(change), namespace=namespace)


def ready(api: Api, namespace: str) -> int:
    return int(api.read("Deployment", NAME, namespace)["status"].get("readyReplicas", 0))


def test_a_rollout(api: Api, namespace: str) -> None:
    change = {"spec": {"engine": {"contextLength": 384}}}
    load, gone = change_under_load(api, namespace, lambda: patch(namespace, change), leaves=REPLICAS)
    assert_none_was_cut_off(load, gone)
    answered = {request.replica for request in load.requests}
    assert len(answered - set(gone)) == REPLICAS


def test_a_pod_that_is_deleted(api: Api, namespace: str) -> None:
    pod = api.list("Pod", namespace, f"codemodel.dev/name={NAME}")[0]["metadata"]["name"]
    load, gone = change_under_load(api, namespace, lambda: api.delete("Pod", pod, namespace), leaves=1)
    assert set(gone) == {pod}
    assert_none_was_cut_off(load, gone)


def test_fewer_replicas(api: Api, namespace: str) -> None:
    until(lambda: ready(api, namespace), lambda n: n == REPLICAS, what="all replicas", seconds=READY_SECONDS)
    change = {"spec": {"scaling": {"minReplicas": 1}}}
    load, gone = change_under_load(api, namespace, lambda: patch(namespace, change), leaves=REPLICAS - 1)
    assert_none_was_cut_off(load, gone)
    assert ready(api, namespace) == 1
