"""What is decided about a model before anything is scheduled: once, and never against what runs."""

import asyncio
from typing import Any

import pytest

from codemodel_delivery.gguf.errors import NotAModel, UnsupportedModel

from .conftest import FakeHeaders, header
from .test_reconcile import KEY, child, codemodel, condition, reconcile, reconciler_of

HUB = "http://hub/m.gguf"


def memory(cluster: Any) -> dict[str, str]:
    [container] = child(cluster, "Deployment")["spec"]["template"]["spec"]["containers"]
    resources = container["resources"]
    return {kind: resources[kind]["memory"] for kind in ("requests", "limits")}


def status(cluster: Any) -> dict[str, Any]:
    found: dict[str, Any] = cluster.objects["CodeModel", *KEY]["status"]
    return found


def edit(cluster: Any, **spec: Any) -> None:
    body = cluster.objects["CodeModel", *KEY]
    body["spec"].update(spec)
    body["metadata"]["generation"] += 1


def test_the_memory_comes_from_the_header_and_the_status_says_what_it_is(cluster: Any) -> None:
    cluster.put(codemodel())
    reconcile(cluster, headers := FakeHeaders(header()))
    model = status(cluster)["model"]
    assert memory(cluster) == {"requests": model["requiredMemory"], "limits": model["requiredMemory"]}
    assert (model["architecture"], model["quantization"]) == ("llama", "Q4_K_M")
    assert {*headers.asked} == {HUB}


def test_what_a_look_decided_stays_although_it_did_not_come_to_report(cluster: Any) -> None:
    """The operator died, and now the hub is away."""
    cluster.put(codemodel())
    asyncio.run(reconciler_of(cluster, FakeHeaders(header())).reconcile(KEY))
    before = memory(cluster)
    reconcile(cluster, FakeHeaders(None))
    assert memory(cluster) == before
    assert condition(cluster, "Ready")["reason"]


def test_what_runs_is_not_decided_again(cluster: Any) -> None:
    """A hub that is away, or a formula that changed with the operator, must not roll a workload."""
    cluster.put(codemodel())
    reconcile(cluster, FakeHeaders(header()))
    before = memory(cluster), status(cluster)["model"]
    cluster.writes.clear()
    for answer in (None, header(context_length=64), NotAModel("it is a page now")):
        reconcile(cluster, headers := FakeHeaders(answer))
        assert headers.asked == []
    assert cluster.writes == []
    assert (memory(cluster), status(cluster)["model"]) == before


def test_an_edit_while_the_hub_is_away_keeps_the_memory(cluster: Any) -> None:
    cluster.put(codemodel())
    reconcile(cluster, FakeHeaders(header()))
    before = memory(cluster)
    edit(cluster, scaling={"maxReplicas": 3})
    reconcile(cluster, FakeHeaders(None))
    assert memory(cluster) == before
    assert status(cluster)["model"]["architecture"] == "llama"


@pytest.mark.parametrize("source", [HUB, "pvc://claim/m.gguf"])
@pytest.mark.parametrize("answer", [None, header()])
def test_memory_that_was_asked_for_and_is_no_longer_goes(cluster: Any, source: str, answer: Any) -> None:
    cluster.put(codemodel(model={"source": source}))
    reconcile(cluster, FakeHeaders(answer))
    before = memory(cluster)
    edit(cluster, resources={"requests": {"memory": "1Gi"}, "limits": {"memory": "2Gi"}})
    reconcile(cluster, FakeHeaders(answer))
    assert memory(cluster) == {"requests": "1Gi", "limits": "2Gi"}
    edit(cluster, resources={})
    reconcile(cluster, FakeHeaders(None))
    assert memory(cluster) == before


def test_another_model_does_not_get_the_memory_of_the_former_one(cluster: Any) -> None:
    cluster.put(codemodel())
    reconcile(cluster, FakeHeaders(header()))
    edit(cluster, model={"source": "http://hub/larger.gguf"})
    reconcile(cluster, FakeHeaders(None))
    assert memory(cluster) == {"requests": "4Gi", "limits": "8Gi"}


def test_an_edit_of_the_engine_is_decided_anew(cluster: Any) -> None:
    cluster.put(codemodel())
    reconcile(cluster, FakeHeaders(header()))
    before = memory(cluster)
    edit(cluster, engine={"parallel": 16})
    reconcile(cluster, FakeHeaders(header()))
    assert memory(cluster) != before


@pytest.mark.parametrize("error", [NotAModel("it is a page"), UnsupportedModel("it is big-endian")])
def test_what_is_no_model_is_never_scheduled(cluster: Any, error: Exception) -> None:
    cluster.put(codemodel())
    reconcile(cluster, FakeHeaders(error))  # type: ignore[arg-type]
    assert cluster.roles() == []
    stalled = condition(cluster, "Stalled")
    assert (stalled["status"], stalled["reason"]) == ("True", type(error).__name__)
    assert str(error) in stalled["message"]
    reconcile(cluster, FakeHeaders(header()))
    assert condition(cluster, "Stalled")["status"] == "False"


def test_a_mistaken_edit_leaves_what_runs_alone_however_often_it_is_looked_at(cluster: Any) -> None:
    cluster.put(codemodel())
    reconcile(cluster, FakeHeaders(header()))
    before = child(cluster, "Deployment")
    edit(cluster, resources={"limits": {"memory": "100Mi"}, "requests": {"memory": "100Mi"}})
    for _ in range(3):
        reconcile(cluster, FakeHeaders(header()))
        assert condition(cluster, "Stalled")["reason"] == "ModelDoesNotFit"
        assert child(cluster, "Deployment") == before


def test_a_source_that_only_the_secret_opens_is_not_asked(cluster: Any) -> None:
    cluster.put(codemodel(model={"source": HUB, "secretRef": {"name": "token"}}))
    reconcile(cluster, headers := FakeHeaders(header()))
    assert headers.asked == []
    assert memory(cluster) == {"requests": "4Gi", "limits": "8Gi"}
