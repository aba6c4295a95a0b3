"""Pods that find no node, do not start, fall silent, or end: each with its own reason, and told of once."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from e2e.api import Api
from e2e.applying import apply, wait_until_ready
from e2e.cluster import settings
from e2e.codemodels import merged, pods
from e2e.failures import MOCK, Failure, apply_all, flooded, wait_until_told
from e2e.kubectl import attempt
from e2e.waiting import until

NOWHERE = "127.0.0.1:9/nothing:1"
HUGE = {"requests": {"memory": "500Gi"}, "limits": {"memory": "500Gi"}}

FAILURES = {
    "no-image": Failure(
        "ImagePullFailed", (NOWHERE, "correct spec.image"), True, merged(MOCK, {"image": NOWHERE})
    ),
    "other-image": Failure(
        "CannotStart",
        ("spec.image is no image of the inference server", '"codemodel-server"'),
        True,
        merged(MOCK, {"image": settings.HUB_IMAGE}),
    ),
    "no-memory": Failure(
        "InsufficientMemory",
        ("Insufficient memory", "lower spec.resources.requests.memory or add a node"),
        False,
        merged(MOCK, {"resources": HUGE}),
    ),
    "no-cores": Failure(
        "InsufficientCPU",
        ("Insufficient cpu", "lower spec.resources.requests.cpu or add a node"),
        False,
        merged(MOCK, {"resources": {"requests": {"cpu": "500"}, "limits": {"cpu": "500"}}}),
    ),
    # Less than Python needs to start.
    "too-big": Failure(
        "OutOfMemory",
        ("server", "raise spec.resources.limits.memory"),
        True,
        merged(MOCK, {"resources": {"limits": {"memory": "24Mi"}}}),
    ),
    "crashing": Failure(
        "CrashLooping",
        ("LoadFailed: ", "/models/models/other.gguf"),
        True,
        {"model": {"source": f"oci://{settings.HUB_IMAGE}/models/other.gguf"}},
    ),
}

SILENCED = """
import json, os, signal, urllib.request
asked = json.dumps({"prompt": "def", "max_tokens": 1500, "stream": True}).encode()
headers = {"Content-Type": "application/json"}
answer = urllib.request.urlopen(urllib.request.Request(f"http://127.0.0.1:{os.environ['PORT']}/chat", asked, headers))
answer.readline()
os.kill(1, signal.SIGTERM)
answer.read()
"""
"""Has the server end while it answers for half a minute: it lives on that long, and takes nothing new."""

RESTARTS = 3
"""The kubelet waits 10 and 20 seconds before the second and third."""

RESTART_SECONDS = 120


@pytest.fixture(scope="module", autouse=True)
def applied(api: Api, namespace: str) -> None:
    """All of them at once: they wait side by side."""
    apply_all(namespace, FAILURES)


@pytest.mark.parametrize("name", FAILURES)
def test_its_own_reason_with_what_to_do(api: Api, namespace: str, name: str) -> None:
    wait_until_told(api, namespace, name, FAILURES[name])


def test_a_server_that_falls_silent(api: Api, namespace: str) -> None:
    apply(namespace, "silenced", merged(MOCK, {"engine": {"contextLength": 4096}}))
    wait_until_ready(namespace, "silenced")
    [pod] = pods(api, namespace, "silenced")
    here = ("exec", pod["metadata"]["name"], "-c", "llm-service", "--", "python3", "-c", SILENCED)
    with ThreadPoolExecutor() as aside:
        # It may end with its container.
        aside.submit(attempt, *here, namespace=namespace)
        says = ("runs but no longer says that it is ready", "see kubectl logs")
        wait_until_told(api, namespace, "silenced", Failure("NotAnswering", says, False))
    wait_until_ready(namespace, "silenced")


def test_transitions_alone_are_told_of_however_often_it_happens(api: Api, namespace: str) -> None:
    def restarts() -> int:
        [pod] = pods(api, namespace, "crashing")
        return int(pod["status"]["containerStatuses"][0]["restartCount"])

    until(restarts, lambda n: n >= RESTARTS, what=f"{RESTARTS} restarts", seconds=RESTART_SECONDS)
    assert flooded(api, namespace, FAILURES) == {}
