"""Nodes under pressure: they take no new pods, and throw off those that they have."""

import json

import pytest

from e2e.api import Api
from e2e.applying import apply, readiness
from e2e.codemodels import MODEL_FILE, SOURCE, pods
from e2e.failures import MOCK, Failure, apply_all, wait_until_told
from e2e.kubectl import kubectl
from e2e.waiting import until

LOW = "The node was low on resource: memory. Threshold quantity: 100Mi, available: 80Mi. "

FAILURES = {
    "outgrown": Failure(
        "Evicted",
        ('volume "models" exceeds the limit "1Mi"', "needs a larger spec.cache.size"),
        False,
        {"cache": {"mode": "Ephemeral", "size": "1Mi"}},
    ),
    "thrown-off": Failure(
        "NodePressure",
        (LOW.strip(" ."), "free or add room on the nodes"),
        False,
        # Its successor is on its way for long enough to be seen.
        {
            "model": {"source": SOURCE.replace(MODEL_FILE, f"slow/{MODEL_FILE}")},
            "cache": {"mode": "Ephemeral"},
        },
    ),
}


@pytest.fixture(scope="module", autouse=True)
def applied(api: Api, namespace: str) -> None:
    apply_all(namespace, FAILURES)


def test_a_pod_that_a_full_node_throws_off(api: Api, namespace: str) -> None:
    """What the kubelet writes then is written here: this machine's memory is for the tests."""

    def downloading() -> list[str]:
        return [
            pod["metadata"]["name"]
            for pod in pods(api, namespace, "thrown-off")
            for init in pod["status"].get("initContainerStatuses", ())
            if "running" in init["state"]
        ]

    # Earlier, the kubelet would write over it.
    [name] = until(downloading, what="a pod that downloads", seconds=30)
    status = {"phase": "Failed", "reason": "Evicted", "message": LOW}
    kubectl(
        "patch",
        "pod",
        name,
        "--subresource=status",
        "-p",
        json.dumps({"status": status}),
        namespace=namespace,
    )
    wait_until_told(api, namespace, "thrown-off", FAILURES["thrown-off"])


def test_a_node_under_pressure_takes_no_pod(api: Api, namespace: str) -> None:
    """The control plane taints a node that says so. This one's kubelet soon says otherwise, so it is said again."""
    [node] = api.list("Node")
    name = node["metadata"]["name"]
    pressure = {
        "type": "MemoryPressure",
        "status": "True",
        "reason": "KubeletHasInsufficientMemory",
        "message": "kubelet has insufficient memory available",
    }
    patch = json.dumps({"status": {"conditions": [pressure]}})

    def tainted() -> bool:
        kubectl("patch", "node", name, "--subresource=status", "-p", patch)
        taints = api.read("Node", name)["spec"].get("taints") or []
        return "node.kubernetes.io/memory-pressure" in {taint["key"] for taint in taints}

    def verdict() -> dict[str, str]:
        tainted()
        return readiness(api, namespace, "not-taken")

    until(tainted, what="the node to be tainted", seconds=20)
    apply(namespace, "not-taken", MOCK)
    ready = until(
        verdict,
        lambda found: found.get("reason") == "NodesTainted",
        what="the taint to be told of",
        seconds=30,
    )
    assert "untolerated taint" in ready["message"]
    assert "kubectl describe nodes says why: free the node (memory, disk) or add one" in ready["message"]


def test_a_pod_that_outgrows_its_volume(api: Api, namespace: str) -> None:
    wait_until_told(api, namespace, "outgrown", FAILURES["outgrown"])
