"""Where the model is kept when its user does not say: decided once, and never against what is there."""

from typing import Any

import pytest

from codemodel_operator.errors import RefusedError, TemporaryError

from .conftest import DEFAULT_CLASS
from .test_plan import edit, status
from .test_reconcile import child, codemodel, reconcile

CLAIM = "PersistentVolumeClaim"
OTHER_CLASS = {"metadata": {"name": "slow", "annotations": {}}}


def used(cluster: Any) -> str:
    """The mode that the status tells; the volume has to be there or not accordingly."""
    mode: str = status(cluster)["cache"]["mode"]
    assert (CLAIM in cluster.roles()) == (mode == "Shared")
    return mode


@pytest.fixture
def bare(cluster: Any) -> Any:
    """A cluster without any StorageClass."""
    cluster.of_the_cluster["StorageClass"] = []
    return cluster


@pytest.mark.parametrize(
    ("classes", "mode"),
    [([DEFAULT_CLASS, OTHER_CLASS], "Shared"), ([OTHER_CLASS], "Ephemeral"), ([], "Ephemeral")],
)
def test_shared_needs_a_default_class(cluster: Any, classes: list[Any], mode: str) -> None:
    cluster.of_the_cluster["StorageClass"] = classes
    cluster.put(codemodel())
    reconcile(cluster)
    assert used(cluster) == mode
    assert status(cluster)["cache"]["decidedBy"] == "Operator"
    volume = child(cluster, "Deployment")["spec"]["template"]["spec"]["volumes"][0]
    assert ("emptyDir" in volume) == (mode == "Ephemeral")


@pytest.mark.parametrize("mode", ["Shared", "Ephemeral"])
def test_what_is_written_counts_and_nobody_is_asked(bare: Any, mode: str) -> None:
    bare.put(codemodel(cache={"mode": mode}))
    reconcile(bare)
    assert status(bare)["cache"] == {"mode": mode, "decidedBy": "Spec"}
    assert used(bare) == mode
    assert bare.surveys == []


def test_who_names_a_class_wants_the_volume(bare: Any) -> None:
    bare.put(codemodel(cache={"storageClassName": "slow"}))
    reconcile(bare)
    assert used(bare) == "Shared"


def test_a_class_that_comes_later_changes_nothing_for_what_runs(bare: Any) -> None:
    bare.put(codemodel())
    reconcile(bare)
    bare.of_the_cluster["StorageClass"] = [DEFAULT_CLASS]
    bare.writes.clear()
    reconcile(bare)
    assert bare.writes == []
    edit(bare, scaling={"maxReplicas": 3})
    reconcile(bare)
    assert used(bare) == "Ephemeral"
    assert len(bare.surveys) == 1


def test_a_class_that_goes_takes_no_volume_along(cluster: Any) -> None:
    cluster.put(codemodel())
    reconcile(cluster)
    cluster.of_the_cluster["StorageClass"] = []
    edit(cluster, scaling={"maxReplicas": 3})
    reconcile(cluster)
    assert used(cluster) == "Shared"


def test_a_volume_that_is_there_is_kept_although_the_status_was_lost(bare: Any) -> None:
    bare.put(codemodel(cache={"mode": "Shared"}))
    reconcile(bare)
    edit(bare, cache={})
    status(bare).pop("cache")
    reconcile(bare)
    assert used(bare) == "Shared"


def test_a_claim_of_somebody_else_decides_nothing(bare: Any) -> None:
    bare.put(codemodel())
    bare.put({"kind": CLAIM, "metadata": {"name": "coder-models", "namespace": "models"}, "spec": {}})
    reconcile(bare)
    assert status(bare)["cache"]["mode"] == "Ephemeral"


def test_there_and_back_again_is_what_it_was(cluster: Any) -> None:
    """As the docs tell to empty a cache: to Ephemeral, and back by removing the line."""
    cluster.put(codemodel())
    reconcile(cluster)
    edit(cluster, cache={"mode": "Ephemeral"})
    reconcile(cluster)
    assert used(cluster) == "Ephemeral"
    edit(cluster, cache={})
    reconcile(cluster)
    assert used(cluster) == "Shared"


def test_a_mistake_does_not_make_it_forget(bare: Any) -> None:
    bare.put(codemodel())
    reconcile(bare)
    bare.of_the_cluster["StorageClass"] = [DEFAULT_CLASS]
    edit(bare, scaling={"minReplicas": 9})
    reconcile(bare)
    edit(bare, scaling={})
    reconcile(bare)
    assert used(bare) == "Ephemeral"


def test_who_may_not_see_classes_shares_as_before(bare: Any) -> None:
    bare.refuse["StorageClass"] = RefusedError("storageclasses is forbidden")
    bare.put(codemodel())
    reconcile(bare)
    assert used(bare) == "Shared"


def test_a_decision_that_stays_is_not_guessed(bare: Any) -> None:
    bare.refuse["StorageClass"] = TemporaryError("503")
    bare.put(codemodel())
    with pytest.raises(TemporaryError):
        reconcile(bare)
    assert bare.roles() == []


@pytest.mark.parametrize("spec", [{"engine": {"name": "mock"}}, {"model": {"source": "pvc://claim/m.gguf"}}])
def test_what_is_not_downloaded_has_no_cache(bare: Any, spec: dict[str, Any]) -> None:
    bare.put(codemodel(**spec))
    reconcile(bare)
    assert "cache" not in status(bare)
    assert bare.surveys == []
