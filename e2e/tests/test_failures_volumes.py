"""Volumes that refuse the model, and that are lost with it."""

import json
from collections.abc import Iterator

import pytest

from e2e.api import Api, Manifest
from e2e.applying import apply, wait_until_ready
from e2e.codemodels import pods
from e2e.failures import CHEAP, Failure, wait_until_told
from e2e.kubectl import kubectl
from e2e.waiting import until

CLASS = "codemodel-e2e-of-root"
SECONDS = 60


def volume_of_root() -> Manifest:
    """A volume whose folder the kubelet makes, for root alone to write in."""
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {"name": CLASS},
        "spec": {
            "storageClassName": CLASS,
            "capacity": {"storage": "64Mi"},
            "accessModes": ["ReadWriteOnce"],
            "hostPath": {"path": f"/var/{CLASS}", "type": "DirectoryOrCreate"},
        },
    }


@pytest.fixture
def class_of_root(api: Api) -> Iterator[str]:
    """The name of a class with one volume, in which no CodeModel can write."""
    # One that a killed run has left is bound to a claim that is gone.
    kubectl("delete", "persistentvolume", CLASS, "--ignore-not-found")
    api.create(volume_of_root())
    yield CLASS
    # It goes when its claim does, with the namespace.
    kubectl("delete", "persistentvolume", CLASS, "--wait=false")


def lose_volume(api: Api, namespace: str, claim: str) -> None:
    """Take a claim's volume away, as an administrator may by mistake."""
    volume = api.read("PersistentVolumeClaim", claim, namespace)["spec"]["volumeName"]
    kubectl("delete", "persistentvolume", volume, "--wait=false")
    kubectl("patch", "persistentvolume", volume, "-p", json.dumps({"metadata": {"finalizers": None}}))
    until(
        lambda: api.read("PersistentVolumeClaim", claim, namespace)["status"]["phase"],
        lambda phase: phase == "Lost",
        what="the claim to be lost",
        seconds=SECONDS,
    )


def test_a_volume_that_refuses_the_file(api: Api, namespace: str, class_of_root: str) -> None:
    apply(namespace, "refused", CHEAP | {"cache": {"storageClassName": class_of_root}})
    says = ("Permission denied", "check the volume and its permissions")
    wait_until_told(api, namespace, "refused", Failure("CannotWrite", says, True))


def test_a_lost_volume_is_made_anew_when_its_claim_is_deleted(api: Api, namespace: str) -> None:
    apply(namespace, "lost", CHEAP)
    wait_until_ready(namespace, "lost")
    lose_volume(api, namespace, "lost-models")
    # The replica goes on with the file that it has open; the next one has none.
    [pod] = pods(api, namespace, "lost")
    api.delete("Pod", pod["metadata"]["name"], namespace)
    says = ("PersistentVolumeClaim lost-models has lost its volume", "delete it, and another one is made")
    wait_until_told(api, namespace, "lost", Failure("VolumeLost", says, True))
    kubectl("delete", "persistentvolumeclaim", "lost-models", namespace=namespace)
    wait_until_ready(namespace, "lost")
