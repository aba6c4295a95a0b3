"""Reconciling against a cluster in memory."""

import asyncio
import copy
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

import pytest

from codemodel_operator.errors import ConflictError, EndingError, RefusedError, TemporaryError
from codemodel_operator.inventory import Inventory
from codemodel_operator.metrics import Metrics
from codemodel_operator.reconcile import Reconciler
from codemodel_operator.resources import ROLES
from codemodel_operator.resources.download import Downloads
from codemodel_operator.settings import REPORT_SECONDS
from codemodel_operator.workqueue import Key

from .conftest import FakeHeaders

KEY = ("models", "coder")
CHILDREN = sorted(ROLES)
NOW = datetime(2030, 1, 1, tzinfo=UTC)


def codemodel(**spec: Any) -> dict[str, Any]:
    return {
        "apiVersion": "codemodel.dev/v1alpha1",
        "kind": "CodeModel",
        "metadata": {"name": "coder", "namespace": "models", "uid": "uid-cm", "generation": 1},
        "spec": {"model": {"source": "http://hub/m.gguf"}, **spec},
    }


class Looking:
    """What a reconcile is told of what has arrived, and tells of what it has seen and left."""

    def __init__(self, **arrived: Any) -> None:
        self.arrived = {("models", name): codemodel for name, codemodel in arrived.items()}
        self.left: dict[Key, list[Any]] = {}

    def take(self, key: Key) -> Any:
        return self.arrived.pop(key, None)

    def note(self, key: Key, objects: Iterable[Any]) -> None:
        self.left[key] = list(objects)


def reconciler_of(
    cluster: Any, headers: FakeHeaders | None = None, looking: Looking | None = None
) -> Reconciler:
    looking = looking or Looking()
    return Reconciler(
        cluster,
        headers or FakeHeaders(),
        Inventory(cluster, lambda: 0.0),
        default_image="server:1",
        downloads=Downloads(),
        metrics=Metrics(),
        arrived=looking.take,
        left=looking.note,
        now=lambda: NOW,
    )


def reconcile(
    cluster: Any, headers: FakeHeaders | None = None, looking: Looking | None = None
) -> float | None:
    """Look at it, and once more if it is new: the first look makes no more than what is needed first."""
    reconciler = reconciler_of(cluster, headers, looking)
    next_after = asyncio.run(reconciler.reconcile(KEY))
    return asyncio.run(reconciler.reconcile(KEY)) if next_after == REPORT_SECONDS else next_after


def child(cluster: Any, role: str) -> dict[str, Any]:
    kind, named = ROLES[role]
    found: dict[str, Any] = cluster.objects[kind, "models", named("coder")]
    return found


def condition(cluster: Any, type_: str) -> dict[str, str]:
    conditions = cluster.objects["CodeModel", *KEY]["status"]["conditions"]
    return next(c for c in conditions if c["type"] == type_)


@pytest.fixture
def served(cluster: Any) -> Any:
    """A cluster with a CodeModel that has its children."""
    cluster.put(codemodel())
    reconcile(cluster)
    cluster.writes.clear()
    return cluster


def test_a_new_codemodel_gets_its_children_and_a_status(cluster: Any) -> None:
    cluster.put(codemodel())
    assert reconcile(cluster) == 300
    assert cluster.roles() == CHILDREN
    assert {c["metadata"]["ownerReferences"][0]["uid"] for k in CHILDREN if (c := child(cluster, k))} == {
        "uid-cm"
    }
    assert condition(cluster, "Ready")["reason"] == "RollingOut"
    assert len(cluster.events) == 1


def test_looking_again_writes_nothing(served: Any) -> None:
    reconcile(served)
    assert served.writes == []


def test_what_the_api_server_makes_of_values_is_no_reason_to_write(served: Any) -> None:
    container = child(served, "Deployment")["spec"]["template"]["spec"]["containers"][0]
    container["resources"]["requests"] = {"cpu": "2000m", "memory": "4096Mi"}
    container["terminationMessagePath"] = "/dev/termination-log"
    child(served, "Deployment")["spec"]["replicas"] = 4
    child(served, "Service")["spec"]["clusterIP"] = "10.0.0.1"
    reconcile(served)
    assert "apply Deployment" not in served.writes
    assert "apply Service" not in served.writes


@pytest.mark.parametrize("role", CHILDREN)
def test_a_deleted_child_comes_back(served: Any, role: str) -> None:
    kind, named = ROLES[role]
    del served.objects[kind, "models", named("coder")]
    reconcile(served)
    assert served.writes == [f"create {kind}"]
    assert served.roles() == CHILDREN


def test_hand_edits_are_undone(served: Any) -> None:
    before = copy.deepcopy({k: child(served, k) for k in CHILDREN})
    child(served, "Deployment")["spec"]["template"]["spec"]["containers"][0]["image"] = "evil"
    child(served, "Deployment")["metadata"]["ownerReferences"][0]["controller"] = False
    child(served, "Service")["spec"]["selector"]["extra"] = "x"
    child(served, "HorizontalPodAutoscaler")["spec"]["maxReplicas"] = 1
    reconcile(served)
    assert set(served.writes) >= {"apply Deployment", "apply Service", "apply HorizontalPodAutoscaler"}
    assert child(served, "Deployment")["spec"] == before["Deployment"]["spec"]
    assert child(served, "HorizontalPodAutoscaler")["spec"]["maxReplicas"] == 5


def test_entries_that_apply_cannot_remove_are_overwritten(served: Any) -> None:
    before = copy.deepcopy(child(served, "Deployment")["spec"])
    child(served, "Deployment")["spec"]["template"]["spec"]["containers"][0]["name"] = "renamed"
    child(served, "Service")["spec"]["ports"][0]["port"] = 81
    reconcile(served)
    assert {"overwrite Deployment", "overwrite Service"} <= set(served.writes)
    assert child(served, "Deployment")["spec"] == before
    assert child(served, "Service")["spec"]["ports"][0]["port"] == 80


def held(cluster: Any, role: str) -> list[str]:
    """How our fields of a child are held."""
    return [entry["operation"] for entry in child(cluster, role)["metadata"]["managedFields"]]


def test_what_was_overwritten_is_given_up_later_when_not_at_once(served: Any) -> None:
    """The Deployment controller writes all the time: ours may come too late."""
    served.refuse["disclaim"] = ConflictError("modified")
    child(served, "Deployment")["spec"]["template"]["spec"]["containers"][0]["name"] = "renamed"
    for _ in range(2):
        with pytest.raises(ConflictError):
            reconcile(served)
    del served.refuse["disclaim"]
    reconcile(served)
    assert held(served, "Deployment") == ["Apply"]
    served.writes.clear()
    reconcile(served)
    assert served.writes == []


def test_what_was_created_counts_as_applied_once_it_changes(served: Any) -> None:
    """Or else a field that is no longer desired would stay."""
    assert held(served, "HorizontalPodAutoscaler") == ["Update"]
    served.put({**codemodel(scaling={"maxReplicas": 3}), "status": {"observedGeneration": 1}})
    reconcile(served)
    assert held(served, "HorizontalPodAutoscaler") == ["Apply"]
    assert child(served, "HorizontalPodAutoscaler")["spec"]["maxReplicas"] == 3
    assert served.writes.index("disclaim HorizontalPodAutoscaler") < served.writes.index(
        "apply HorizontalPodAutoscaler"
    )


def test_what_is_there_without_a_status_is_read_before_it_is_touched(served: Any) -> None:
    """A backup restores objects and no status."""
    served.objects["CodeModel", *KEY].pop("status")
    reconcile(served)
    assert [write for write in served.writes if not write.startswith("create")] == ["status"]
    assert condition(served, "Ready")["reason"] == "RollingOut"


def test_a_field_that_is_no_longer_desired_is_applied_away(served: Any) -> None:
    body = codemodel(service={"type": "NodePort", "nodePort": 30001})
    served.put(body)
    reconcile(served)
    served.writes.clear()
    served.put({**codemodel(service={"type": "NodePort"}), "status": body.get("status", {})})
    reconcile(served)
    assert "apply Service" in served.writes


def test_a_deployment_that_was_scaled_to_zero_wakes_up(served: Any) -> None:
    """An autoscaler does nothing about a target with no replicas."""
    child(served, "Deployment")["spec"]["replicas"] = 0
    reconcile(served)
    assert "overwrite Deployment" in served.writes
    assert child(served, "Deployment")["spec"]["replicas"] == 1


@pytest.mark.parametrize("what", ["env", "volumeMounts", "volumes"])
def test_entries_that_somebody_added_go_again(served: Any, what: str) -> None:
    before = copy.deepcopy(child(served, "Deployment")["spec"])
    pod = child(served, "Deployment")["spec"]["template"]["spec"]
    (pod if what == "volumes" else pod["containers"][0])[what].append({"name": "extra", "mountPath": "/x"})
    reconcile(served)
    assert child(served, "Deployment")["spec"] == before


def test_the_replicas_of_the_autoscaler_are_left_alone(served: Any) -> None:
    child(served, "Deployment")["spec"]["replicas"] = 4
    served.put(codemodel(image="server:2"))
    reconcile(served)
    assert child(served, "Deployment")["spec"]["replicas"] == 4


@pytest.mark.parametrize("role", CHILDREN)
def test_a_child_of_somebody_else_is_never_touched(cluster: Any, role: str) -> None:
    cluster.put(codemodel())
    kind, named = ROLES[role]
    name = named("coder")
    foreign = cluster.put(
        {"kind": kind, "metadata": {"name": name, "namespace": "models"}, "spec": {"of": "others"}}
    )
    assert reconcile(cluster) == 30
    assert child(cluster, role) == foreign
    assert condition(cluster, "Stalled")["reason"] == "NameConflict"
    assert f"{kind} {name} exists" in condition(cluster, "Stalled")["message"]
    assert condition(cluster, "Reconciling")["status"] == "False"
    assert cluster.roles() == CHILDREN


@pytest.mark.parametrize("role", CHILDREN)
def test_a_child_that_is_going_is_waited_for(served: Any, role: str) -> None:
    """Its own deletion, or that of a former CodeModel of this name, has not been carried out yet."""
    child(served, role)["metadata"]["ownerReferences"][0]["uid"] = "uid-of-the-former"
    assert reconcile(served) == 30
    assert "being deleted" in condition(served, "Ready")["message"]
    assert condition(served, "Stalled")["status"] == "False"
    assert condition(served, "Reconciling")["reason"] == "Replacing"
    child(served, role)["metadata"] |= {"deletionTimestamp": "2030-01-01T00:00:00Z"}
    child(served, role)["metadata"]["ownerReferences"][0]["uid"] = "uid-cm"
    assert reconcile(served) == 30
    assert set(served.writes) == {"status"}


def test_a_service_of_somebody_else_is_not_our_endpoint(cluster: Any) -> None:
    cluster.put(codemodel())
    cluster.put(
        {
            "kind": "Service",
            "metadata": {"name": "coder", "namespace": "models"},
            "spec": {"ports": [{"port": 1}]},
        }
    )
    reconcile(cluster)
    assert "endpoint" not in cluster.objects["CodeModel", *KEY]["status"]
    assert condition(cluster, "Ready")["status"] == "False"


def test_a_volume_that_is_no_longer_shared_is_deleted(served: Any) -> None:
    served.put(codemodel(cache={"mode": "Ephemeral"}))
    reconcile(served)
    assert "delete PersistentVolumeClaim" in served.writes
    assert "PersistentVolumeClaim" not in served.roles()


def test_a_volume_of_somebody_else_is_not_deleted(cluster: Any) -> None:
    cluster.put(codemodel(cache={"mode": "Ephemeral"}))
    cluster.put(
        {"kind": "PersistentVolumeClaim", "metadata": {"name": "coder-models", "namespace": "models"}}
    )
    reconcile(cluster)
    assert "PersistentVolumeClaim" in cluster.roles()


def test_a_volume_is_not_deleted_while_the_deployment_still_uses_it(
    served: Any, refusal: RefusedError
) -> None:
    served.refuse["Deployment"] = refusal
    served.put(codemodel(cache={"mode": "Ephemeral"}))
    reconcile(served)
    assert "PersistentVolumeClaim" in served.roles()


def test_a_volume_that_was_enlarged_by_hand_keeps_its_size(served: Any) -> None:
    child(served, "PersistentVolumeClaim")["spec"]["resources"]["requests"]["storage"] = "50Gi"
    reconcile(served)
    served.writes.clear()
    reconcile(served)
    assert child(served, "PersistentVolumeClaim")["spec"]["resources"]["requests"]["storage"] == "50Gi"
    assert served.writes == []


def test_an_invalid_spec_is_explained_and_what_runs_stays(served: Any) -> None:
    before = copy.deepcopy(child(served, "Deployment"))
    served.put(codemodel(scaling={"minReplicas": 9}))
    assert reconcile(served) == 30
    assert condition(served, "Stalled")["reason"] == "InvalidSpec"
    assert "raise maxReplicas" in condition(served, "Stalled")["message"]
    assert child(served, "Deployment") == before
    served.put({**codemodel(), "status": served.objects["CodeModel", *KEY]["status"]})
    reconcile(served)
    assert condition(served, "Stalled")["status"] == "False"


def test_a_refused_child_is_explained_and_the_others_are_made(cluster: Any, refusal: RefusedError) -> None:
    cluster.put(codemodel())
    cluster.refuse["Deployment"] = refusal
    assert reconcile(cluster) == 30
    assert condition(cluster, "Stalled")["reason"] == "QuotaExceeded"
    assert "exceeded quota" in condition(cluster, "Stalled")["message"]
    assert cluster.roles() == [k for k in CHILDREN if k != "Deployment"]
    del cluster.refuse["Deployment"]
    assert reconcile(cluster) == 300
    assert condition(cluster, "Stalled")["status"] == "False"


def test_a_passing_failure_is_visible_and_tried_again(cluster: Any) -> None:
    cluster.put(codemodel())
    cluster.refuse["Service"] = TemporaryError("500 the allocator is busy")
    with pytest.raises(TemporaryError, match="allocator"):
        reconcile(cluster)
    assert condition(cluster, "Reconciling")["reason"] == "ApplyFailed"
    assert condition(cluster, "Stalled")["status"] == "False"


def test_a_conflict_is_only_tried_again(cluster: Any) -> None:
    cluster.put(codemodel())
    cluster.refuse["Service"] = ConflictError("changed")
    with pytest.raises(ConflictError):
        reconcile(cluster)
    assert "status" not in cluster.writes


def test_a_namespace_that_ends_is_left_alone(served: Any) -> None:
    served.refuse["Event"] = EndingError("because it is being terminated")
    served.put(codemodel(scaling={"minReplicas": 9}))
    with pytest.raises(EndingError):
        reconcile(served)


def kubernetes_event(reason: str, message: str, *, type_: str = "Warning", second: int = 0) -> dict[str, Any]:
    stamp = f"2030-01-01T00:00:{second:02}Z"
    return {"type": type_, "reason": reason, "message": message, "lastTimestamp": stamp}


def test_events_of_kubernetes_tell_why_a_volume_is_not_there(served: Any, refusal: RefusedError) -> None:
    claim = child(served, "PersistentVolumeClaim")
    claim["status"] = {"phase": "Pending"}
    claim["spec"]["storageClassName"] = "slow"
    pod_of(served)["spec"] = {}
    assert reconcile(served) == 15
    assert condition(served, "Ready")["reason"] == "ProvisioningVolume"
    served.kubernetes_events[claim["metadata"]["uid"]] = [
        kubernetes_event("ProvisioningFailed", "the disk is full", second=5),
        kubernetes_event("ExternalProvisioning", "waiting", type_="Normal", second=9),
    ]
    reconcile(served)
    assert condition(served, "Ready")["reason"] == "VolumeNotBound"
    assert "the disk is full" in condition(served, "Ready")["message"]
    served.refuse["Event"] = refusal
    reconcile(served)
    assert condition(served, "Ready")["reason"] == "ProvisioningVolume"


def test_events_of_kubernetes_tell_why_a_pod_does_not_start(served: Any) -> None:
    pod = pod_of(served)
    pod["status"] = {"initContainerStatuses": [{"name": "download-model", "state": {"waiting": {}}}]}
    failed = kubernetes_event("FailedMount", 'secret "token" not found', second=5)
    served.kubernetes_events[pod["metadata"]["uid"]] = [failed]
    assert reconcile(served) == 15
    assert condition(served, "Ready")["reason"] == "CannotStart"
    assert 'secret "token" not found; create the Secret' in condition(served, "Ready")["message"]
    pulling = kubernetes_event("Pulling", "Pulling image", type_="Normal", second=9)
    served.kubernetes_events[pod["metadata"]["uid"]] = [failed, pulling]
    reconcile(served)
    assert condition(served, "Ready")["reason"] == "Starting"


def pod_of(cluster: Any) -> dict[str, Any]:
    template = child(cluster, "Deployment")["spec"]["template"]
    found: dict[str, Any] = cluster.put(
        {
            "kind": "Pod",
            "metadata": {
                "name": "p1",
                "namespace": "models",
                "annotations": template["metadata"]["annotations"],
            },
            "spec": {"nodeName": "node"},
        }
    )
    return found


def test_a_deleted_codemodel_is_left_to_garbage_collection(served: Any) -> None:
    served.objects["CodeModel", *KEY]["metadata"]["deletionTimestamp"] = "2030-01-01T00:00:00Z"
    assert reconcile(served) is None
    del served.objects["CodeModel", *KEY]
    assert reconcile(served) is None
    assert served.writes == []


def test_events_tell_of_transitions_only(served: Any, refusal: RefusedError) -> None:
    served.events.clear()
    served.put(codemodel(scaling={"minReplicas": 9}))
    for _ in range(5):
        reconcile(served)
    assert [(e["type"], e["reason"]) for e in served.events] == [("Warning", "InvalidSpec")]
    served.refuse["Event"] = refusal
    served.put(codemodel())
    reconcile(served)
    assert condition(served, "Stalled")["status"] == "False"


def test_an_unreadable_status_is_replaced(served: Any) -> None:
    served.objects["CodeModel", *KEY]["status"] = {"conditions": [{"type": "Ready"}], "replicas": "many"}
    reconcile(served)
    assert condition(served, "Ready")["reason"] == "RollingOut"


def downloading_pod() -> dict[str, Any]:
    return {
        "kind": "Pod",
        "metadata": {"name": "p1", "namespace": "models", "uid": "uid-p1"},
        "spec": {"nodeName": "node"},
        "status": {"initContainerStatuses": [{"name": "download-model", "state": {"running": {}}}]},
    }


def test_the_progress_of_a_download_is_in_the_status_and_written_only_when_it_changes(served: Any) -> None:
    served.put(downloading_pod())
    served.logs["p1"] = '{"event": "progress", "bytes": 1503, "total": 10000, "percent": 15.0}\n'
    assert reconcile(served) == 5
    model = served.objects["CodeModel", *KEY]["status"]["model"]
    assert (model["downloadedBytes"], model["totalBytes"], model["downloadedPercent"]) == (1500, 10000, 15)
    served.writes.clear()
    served.logs["p1"] = '{"event": "progress", "bytes": 1599, "total": 10000, "percent": 16.0}\n'
    reconcile(served)
    assert served.writes == []


def test_a_log_that_cannot_be_read_stops_nothing(served: Any) -> None:
    served.put(downloading_pod())
    served.refuse["log"] = RefusedError("pods/log is forbidden")
    assert reconcile(served) == 5
    assert "downloadedBytes" not in served.objects["CodeModel", *KEY]["status"]["model"]


@pytest.mark.parametrize(
    ("suspend", "later"),
    [
        (False, {"Peers", "PodDisruptionBudget"}),
        (True, {*CHILDREN} - {"Deployment", "Service", "HorizontalPodAutoscaler"}),
    ],
    ids=["pods are to start", "no pods"],
)
def test_who_is_new_gets_what_is_needed_first_before_others_get_the_rest(
    cluster: Any, suspend: bool, later: set[str]
) -> None:
    """The next look makes the rest and reports, and makes nothing twice."""
    cluster.put(codemodel(suspend=suspend))
    looking = Looking()
    reconciler = reconciler_of(cluster, looking=looking)

    assert asyncio.run(reconciler.reconcile(KEY)) == REPORT_SECONDS
    assert {*cluster.roles()} == {*CHILDREN} - later
    assert "status" not in cluster.objects["CodeModel", *KEY]
    assert KEY not in looking.left  # so that the first event of a child causes that look

    cluster.writes.clear()
    asyncio.run(reconciler.reconcile(KEY))
    assert cluster.roles() == CHILDREN
    assert sorted(cluster.writes) == sorted([*(f"create {ROLES[role][0]}" for role in later), "status"])
    assert condition(cluster, "Ready")["reason"]


def test_what_a_watch_has_just_brought_is_not_read_but_what_exists_already_is(cluster: Any) -> None:
    looking = Looking(coder=codemodel())
    asyncio.run(reconciler_of(cluster, looking=looking).reconcile(KEY))
    assert "Deployment" in cluster.roles()

    cluster.put(codemodel(suspend=True))
    looking = Looking(coder=codemodel())
    asyncio.run(reconciler_of(cluster, looking=looking).reconcile(KEY))
    assert child(cluster, "Deployment")["spec"]["replicas"] == 0
    assert condition(cluster, "Ready")["reason"] == "Suspended"


def test_a_codemodel_that_is_deleted_when_it_arrives_gets_nothing(cluster: Any) -> None:
    going = codemodel()
    going["metadata"]["deletionTimestamp"] = "2030-01-01T00:00:00Z"
    asyncio.run(reconciler_of(cluster, looking=Looking(coder=going)).reconcile(KEY))
    assert not cluster.objects


def test_an_operator_that_died_before_it_reported_makes_nothing_twice(cluster: Any) -> None:
    cluster.put(codemodel())
    asyncio.run(reconciler_of(cluster, looking=Looking()).reconcile(KEY))
    before = copy.deepcopy(cluster.objects)
    reconcile(cluster)
    del cluster.objects["CodeModel", *KEY]["status"]
    assert {key: cluster.objects[key] for key in before} == before
    assert cluster.roles() == CHILDREN


def test_a_refusal_is_reported_whoever_waits(cluster: Any, refusal: RefusedError) -> None:
    cluster.put(codemodel())
    cluster.refuse["Deployment"] = refusal
    asyncio.run(reconciler_of(cluster, looking=Looking()).reconcile(KEY))
    assert condition(cluster, "Stalled")["reason"] == "QuotaExceeded"
    assert {*cluster.roles()} == {*CHILDREN} - {"Deployment"}


def test_what_a_look_has_left_is_told_with_what_it_wrote_last(served: Any) -> None:
    looking = Looking()
    served.put({"kind": "Pod", "metadata": {"name": "p", "namespace": "models"}, "status": {}})
    del served.objects["CodeModel", *KEY]["status"]["conditions"][0]
    asyncio.run(reconciler_of(served, looking=looking).reconcile(KEY))
    left = looking.left[KEY]
    assert {object_["kind"] for object_ in left} == {
        "CodeModel",
        "Pod",
        *(kind for kind, _ in ROLES.values()),
    }
    *_, last = [object_ for object_ in left if object_["kind"] == "CodeModel"]
    assert last == served.objects["CodeModel", *KEY]


def test_of_a_codemodel_that_is_gone_nothing_is_left(cluster: Any) -> None:
    looking = Looking()
    assert asyncio.run(reconciler_of(cluster, looking=looking).reconcile(KEY)) is None
    assert looking.left == {KEY: []}
