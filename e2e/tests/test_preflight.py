"""What the header of a model's file decides before anything is scheduled."""

from typing import Any

from e2e.api import Api, Manifest
from e2e.applying import apply, wait_for_reason, wait_until_ready
from e2e.codemodels import SOURCE, ModelFile, pods
from e2e.kubectl import kubectl

LEFT_OUT = {"requests": {"memory": None}, "limits": {"memory": None}}


def server_resources(api: Api, namespace: str, name: str) -> dict[str, Any]:
    [pod] = pods(api, namespace, name)
    return dict(pod["spec"]["containers"][0]["resources"])


def children(api: Api, namespace: str, name: str) -> list[Manifest | None]:
    return [api.get(kind, name, namespace) for kind in ("Deployment", "HorizontalPodAutoscaler", "Service")]


def test_memory_that_is_left_out_comes_from_the_header(
    api: Api, namespace: str, model_file: ModelFile
) -> None:
    apply(namespace, "planned", {"resources": LEFT_OUT})
    wait_until_ready(namespace, "planned")
    model = api.read("CodeModel", "planned", namespace)["status"]["model"]
    assert (model["architecture"], model["sizeBytes"]) == ("llama", model_file.size)
    resources = server_resources(api, namespace, "planned")
    assert resources["requests"]["memory"] == resources["limits"]["memory"] == model["requiredMemory"]
    kubectl("delete", "codemodel", "planned", namespace=namespace)


def test_a_limit_that_is_too_small_is_refused_before_anything_is_scheduled(api: Api, namespace: str) -> None:
    apply(
        namespace, "too-small", {"resources": {"requests": {"memory": "64Mi"}, "limits": {"memory": "64Mi"}}}
    )
    message = wait_for_reason(api, namespace, "too-small", "ModelDoesNotFit")
    assert "spec.resources.limits.memory is 64Mi; raise it" in message
    assert children(api, namespace, "too-small") == [None, None, None]
    kubectl("delete", "codemodel", "too-small", namespace=namespace)


def test_a_page_is_no_model_and_no_pod_is_started_for_it(api: Api, namespace: str) -> None:
    apply(namespace, "page", {"model": None, "engine": {"name": "mock"}})
    wait_until_ready(namespace, "page")
    page = f"http://page.{namespace}.svc/"
    apply(namespace, "no-model", {"model": {"source": page}})
    assert page in wait_for_reason(api, namespace, "no-model", "NotAModel")
    assert children(api, namespace, "no-model") == [None, None, None]
    apply(namespace, "no-model", {"model": {"source": SOURCE}})
    wait_until_ready(namespace, "no-model")
    kubectl("delete", "codemodel", "page", "no-model", namespace=namespace)
