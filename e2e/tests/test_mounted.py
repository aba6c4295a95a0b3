"""Models that are there already: on a volume of the namespace, or in an image. Nothing is downloaded for them."""

from collections.abc import Iterator

import pytest

from e2e.api import Api, Manifest
from e2e.applying import apply, wait_for_reason, wait_until_ready
from e2e.cluster import settings
from e2e.codemodels import MODEL_FILE, condition, pods
from e2e.kubectl import kubectl

IMAGE_SOURCE = f"oci://{settings.HUB_IMAGE}/models/{MODEL_FILE}"
"""The hub's image is one that carries a model."""


def mounted(source: str) -> Manifest:
    """A change that takes the model from there."""
    return {"model": {"source": source, "sha256": None}}


@pytest.fixture(scope="module")
def claim_source(api: Api, namespace: str) -> Iterator[str]:
    """A file on a volume, put there by another CodeModel of the namespace."""
    apply(namespace, "first", {})
    wait_until_ready(namespace, "first")
    [pod] = pods(api, namespace, "first")
    environment = {e["name"]: e.get("value") for e in pod["spec"]["containers"][0]["env"]}
    yield f"pvc://first-models/{environment['MODEL_PATH'].removeprefix('/models/')}"
    kubectl("delete", "codemodel", "first", namespace=namespace)


def assert_served_without_download(api: Api, namespace: str, name: str) -> None:
    found = api.read("CodeModel", name, namespace)
    assert condition(found, "ModelAvailable")["reason"] == "Mounted"
    [pod] = pods(api, namespace, name)
    assert "initContainers" not in pod["spec"]
    assert api.get("PersistentVolumeClaim", f"{name}-models", namespace) is None
    path = f"/api/v1/namespaces/{namespace}/services/{name}:80/proxy/v1/models"
    assert f'"id":"{name}"' in kubectl("get", "--raw", path).replace(" ", "")


def test_a_model_on_a_volume_is_served(api: Api, namespace: str, claim_source: str) -> None:
    apply(namespace, "on-volume", mounted(claim_source))
    wait_until_ready(namespace, "on-volume")
    assert_served_without_download(api, namespace, "on-volume")
    kubectl("delete", "codemodel", "on-volume", namespace=namespace)


def test_a_model_in_an_image_is_served(api: Api, namespace: str) -> None:
    apply(namespace, "in-image", mounted(IMAGE_SOURCE))
    wait_until_ready(namespace, "in-image")
    assert_served_without_download(api, namespace, "in-image")
    kubectl("delete", "codemodel", "in-image", namespace=namespace)


def test_a_volume_that_does_not_exist_is_named(api: Api, namespace: str) -> None:
    apply(namespace, "no-volume", mounted("pvc://forgotten/m.gguf"))
    message = wait_for_reason(api, namespace, "no-volume", "VolumeNotBound")
    assert '"forgotten" not found' in message
    assert message.endswith("; create it, or correct spec.model.source")
    kubectl("delete", "codemodel", "no-volume", namespace=namespace)


def test_an_image_that_cannot_be_pulled_is_named(api: Api, namespace: str) -> None:
    apply(namespace, "no-image", mounted("oci://127.0.0.1:9/coder:1/m.gguf"))
    message = wait_for_reason(api, namespace, "no-image", "ImagePullFailed")
    assert "127.0.0.1:9/coder:1" in message
    kubectl("delete", "codemodel", "no-image", namespace=namespace)
