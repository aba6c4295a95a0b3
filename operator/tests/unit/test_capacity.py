"""Models that no node can hold: said before a byte is downloaded, and over when such a node comes."""

from typing import Any

import pytest

from codemodel_operator.errors import RefusedError

from .conftest import FakeHeaders, header
from .test_inventory import node, taint
from .test_reconcile import child, codemodel, condition, reconcile

NO_MEMORY = "0/2 nodes are available: 2 Insufficient memory. preemption: 0/2 nodes are available."


def homeless(cluster: Any, message: str = NO_MEMORY) -> None:
    """A pod as its ReplicaSet makes it and the scheduler leaves it."""
    template = child(cluster, "Deployment")["spec"]["template"]
    condition = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": message}
    cluster.put(
        {
            "kind": "Pod",
            "metadata": {"name": "p1", "namespace": "models", **template["metadata"]},
            "spec": template["spec"],
            "status": {"phase": "Pending", "conditions": [condition]},
        }
    )


def verdict(cluster: Any) -> tuple[str, str]:
    stalled = condition(cluster, "Stalled")
    return stalled["status"], stalled["reason"]


@pytest.fixture
def waiting(cluster: Any) -> Any:
    """A cluster of two small nodes, where a replica waits that needs about 1 GiB."""
    cluster.of_the_cluster["Node"] = [node("n1", "500Mi"), node("n2", "700Mi")]
    cluster.put(codemodel())
    reconcile(cluster, FakeHeaders(header()))
    homeless(cluster)
    return cluster


def test_what_fits_no_node_stalls_with_the_largest_one_and_what_to_do(waiting: Any) -> None:
    assert reconcile(waiting, FakeHeaders(header())) == 30
    assert verdict(waiting) == ("True", "ModelDoesNotFit")
    message = condition(waiting, "Ready")["message"]
    needed = waiting.objects["CodeModel", "models", "coder"]["status"]["model"]["requiredMemory"]
    assert f"needs {needed}" in message
    assert "the largest node, n2, has 700Mi for its pods; lower spec.engine.contextLength" in message
    assert condition(waiting, "Ready")["reason"] == "ModelDoesNotFit"


def test_the_pod_stays_so_that_a_cluster_that_grows_sees_it(waiting: Any) -> None:
    before = child(waiting, "Deployment")
    for answer in (header(), None):
        reconcile(waiting, FakeHeaders(answer))
        assert verdict(waiting) == ("True", "ModelDoesNotFit")
        assert child(waiting, "Deployment") == before


def test_it_is_over_when_a_larger_node_comes(waiting: Any) -> None:
    reconcile(waiting, FakeHeaders(header()))
    # Larger, but full at present.
    waiting.of_the_cluster["Node"].append(node("n3", "16Gi"))
    assert reconcile(waiting, FakeHeaders(header())) == 300
    assert verdict(waiting) == ("False", "NotStalled")
    assert condition(waiting, "Ready")["reason"] == "InsufficientMemory"


@pytest.mark.parametrize(
    "large",
    [node("n3", "16Gi", unschedulable=True), node("n3", "16Gi", taint("nvidia.com/gpu"))],
    ids=["cordoned", "kept for others"],
)
def test_a_large_node_that_takes_no_replica_does_not_help(waiting: Any, large: dict[str, Any]) -> None:
    waiting.of_the_cluster["Node"].append(large)
    reconcile(waiting, FakeHeaders(header()))
    assert verdict(waiting) == ("True", "ModelDoesNotFit")


def test_who_may_not_see_nodes_passes_the_scheduler_s_words_on(waiting: Any) -> None:
    waiting.refuse["Node"] = RefusedError("nodes is forbidden")
    reconcile(waiting, FakeHeaders(header()))
    assert verdict(waiting) == ("False", "NotStalled")
    assert condition(waiting, "Ready")["reason"] == "InsufficientMemory"


def test_a_pool_that_begins_with_no_node_is_waited_for(waiting: Any) -> None:
    waiting.of_the_cluster["Node"] = []
    reconcile(waiting, FakeHeaders(header()))
    assert condition(waiting, "Ready")["reason"] == "InsufficientMemory"


def test_what_the_user_asks_for_is_between_them_and_the_scheduler(cluster: Any) -> None:
    cluster.of_the_cluster["Node"] = [node("n1", "4Gi")]
    cluster.put(codemodel(resources={"requests": {"memory": "64Gi"}, "limits": {"memory": "64Gi"}}))
    reconcile(cluster, FakeHeaders(header()))
    homeless(cluster)
    reconcile(cluster, FakeHeaders(header()))
    assert condition(cluster, "Ready")["reason"] == "InsufficientMemory"
    assert "Node" not in cluster.surveys


def test_nodes_are_looked_at_only_when_a_replica_waits(cluster: Any) -> None:
    cluster.put(codemodel(cache={"mode": "Shared"}))
    for _ in range(2):
        reconcile(cluster, FakeHeaders(header()))
    assert cluster.surveys == []


def test_a_request_that_lets_a_large_model_onto_a_small_node_is_refused(cluster: Any) -> None:
    """The scheduler would not mind: it goes by the request alone."""
    cluster.of_the_cluster["Node"] = [node("n1", "500Mi")]
    low = {"requests": {"memory": "100Mi"}, "limits": {"memory": "8Gi"}}
    cluster.put(codemodel(resources=low))
    assert reconcile(cluster, FakeHeaders(header())) == 30
    assert cluster.roles() == []
    assert verdict(cluster) == ("True", "ModelDoesNotFit")
    message = condition(cluster, "Stalled")["message"]
    assert "the largest node, n1, has 500Mi for its pods; spec.resources.requests.memory is 100Mi" in message
    cluster.of_the_cluster["Node"].append(node("n2", "1Gi"))
    reconcile(cluster, FakeHeaders(header()))
    assert verdict(cluster) == ("False", "NotStalled")
    assert "Deployment" in cluster.roles()


def test_a_low_request_is_taken_where_nodes_cannot_be_seen(cluster: Any) -> None:
    cluster.refuse["Node"] = RefusedError("nodes is forbidden")
    cluster.put(codemodel(resources={"requests": {"memory": "100Mi"}, "limits": {"memory": "8Gi"}}))
    reconcile(cluster, FakeHeaders(header()))
    assert "Deployment" in cluster.roles()
