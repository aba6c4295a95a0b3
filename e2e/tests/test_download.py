"""The model's way into the pods: refused when it is not what was asked for, downloaded once when it is."""

import re

import pytest

from e2e.api import Api, Manifest
from e2e.applying import apply, wait_for_reason, wait_until_ready
from e2e.codemodels import HUB, HUB_NAMESPACE, MODEL_FILE, READY_SECONDS, SOURCE, ModelFile, condition, pods
from e2e.kubectl import kubectl
from e2e.waiting import until

WRONG = "0" * 64
TWO_REPLICAS = {"minReplicas": 2, "maxReplicas": 2}


def downloads() -> list[int]:
    """Bytes of each answer that the hub gave for the model file, from its access log."""
    log = kubectl("logs", f"deployment/{HUB}", "--tail=-1", namespace=HUB_NAMESPACE)
    return [int(size) for size in re.findall(rf'"GET /{re.escape(MODEL_FILE)} [^"]*" 20[06] (\d+)', log)]


def test_a_file_with_another_digest_is_never_served_and_the_reason_is_seen(
    api: Api, namespace: str, model_file: ModelFile
) -> None:
    apply(namespace, "mistaken", {"model": {"sha256": WRONG}})
    message = wait_for_reason(api, namespace, "mistaken", "ChecksumMismatch")
    assert WRONG in message
    assert model_file.sha256 in message
    assert "ChecksumMismatch" in kubectl("get", "codemodel", "mistaken", "-o", "wide", namespace=namespace)
    found = api.read("CodeModel", "mistaken", namespace)
    assert condition(found, "ModelAvailable")["status"] == "False"
    assert found["status"].get("readyReplicas", 0) == 0


def test_once_corrected_it_is_served(api: Api, namespace: str, model_file: ModelFile) -> None:
    apply(namespace, "mistaken", {"model": {"sha256": model_file.sha256}})
    wait_until_ready(namespace, "mistaken")
    assert sum(downloads()) >= model_file.size
    kubectl("delete", "codemodel", "mistaken", namespace=namespace)


def test_how_far_a_download_is_can_be_seen(api: Api, namespace: str, model_file: ModelFile) -> None:
    slow = SOURCE.replace(MODEL_FILE, f"slow/{MODEL_FILE}")
    apply(namespace, "slow", {"model": {"source": slow, "sha256": model_file.sha256}})
    found = until(
        lambda: api.read("CodeModel", "slow", namespace),
        lambda found: 0 < found.get("status", {}).get("model", {}).get("downloadedPercent", 0) < 100,
        what="a part of the download to be seen",
        seconds=READY_SECONDS,
    )
    model = found["status"]["model"]
    assert model["totalBytes"] == model_file.size
    assert f"({model['downloadedPercent']} %)" in condition(found, "ModelAvailable")["message"]
    wait_until_ready(namespace, "slow")
    found = until(
        lambda: api.read("CodeModel", "slow", namespace),
        lambda found: "downloadedBytes" not in found["status"]["model"],
        what="the progress to be gone",
        seconds=READY_SECONDS,
    )
    assert condition(found, "ModelAvailable")["status"] == "True"
    kubectl("delete", "codemodel", "slow", namespace=namespace)


@pytest.fixture(scope="module")
def shared(namespace: str, model_file: ModelFile) -> str:
    """A CodeModel with one replica, Ready."""
    name = "shared"
    apply(namespace, name, {"model": {"sha256": model_file.sha256}})
    wait_until_ready(namespace, name)
    return name


def test_a_second_replica_downloads_nothing(
    api: Api, namespace: str, shared: str, model_file: ModelFile
) -> None:
    before = downloads()
    apply(namespace, shared, {"model": {"sha256": model_file.sha256}, "scaling": TWO_REPLICAS})
    until(
        lambda: api.read("CodeModel", shared, namespace)["status"].get("readyReplicas"),
        lambda ready: ready == 2,
        what="two ready replicas",
        seconds=READY_SECONDS,
    )
    assert downloads() == before
    logs = [
        kubectl("logs", pod["metadata"]["name"], "-c", "download-model", namespace=namespace)
        for pod in pods(api, namespace, shared)
    ]
    assert sum("already" in log for log in logs) == 1


def test_what_the_autoscaler_set_is_not_reverted(
    api: Api, namespace: str, shared: str, model_file: ModelFile
) -> None:
    """An edit and a repair make the operator write; the number of replicas stays with the autoscaler."""
    before = {pod["metadata"]["uid"] for pod in pods(api, namespace, shared)}
    apply(
        namespace,
        shared,
        {"model": {"sha256": model_file.sha256}, "scaling": {**TWO_REPLICAS, "target": 65}},
    )
    kubectl(
        "label",
        "deployment",
        shared,
        "app.kubernetes.io/component=edited",
        "--overwrite",
        namespace=namespace,
    )

    def settled() -> bool:
        labels = api.read("Deployment", shared, namespace)["metadata"]["labels"]
        found = api.read("CodeModel", shared, namespace)
        observed = found["status"]["observedGeneration"] == found["metadata"]["generation"]
        return bool(observed) and labels["app.kubernetes.io/component"] == "inference"

    until(settled, what="the edit and the repair to be done", seconds=20)
    deployment = api.read("Deployment", shared, namespace)
    assert deployment["spec"]["replicas"] == 2
    assert {pod["metadata"]["uid"] for pod in pods(api, namespace, shared)} == before
    fields = {entry["manager"]: entry["fieldsV1"]["f:spec"] for entry in owners(deployment)}
    assert "f:replicas" not in fields["codemodel-operator"]


def owners(deployment: Manifest) -> list[Manifest]:
    """Entries of managedFields that are about the spec."""
    return [entry for entry in deployment["metadata"]["managedFields"] if "f:spec" in entry["fieldsV1"]]
