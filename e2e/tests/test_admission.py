"""What the API server refuses, and how the refusal reads: nothing of ours runs in between."""

import copy

import pytest

from e2e.api import Api, Manifest
from e2e.codemodels import codemodel, merged
from e2e.kubectl import attempt, kubectl

Refusal = tuple[Manifest, str]

REFUSED: dict[str, Refusal] = {
    "source of another scheme": (
        {"model": {"source": "ftp://hub/model.gguf"}},
        "spec.model.source: Invalid value",
    ),
    "credentials in the source": (
        {"model": {"source": "https://me:secret@hub/model.gguf"}},
        "a token goes to secretRef",
    ),
    "a way out of the volume": (
        {"model": {"source": "pvc://models/../secret", "sha256": None}},
        "write https://host/file",
    ),
    "an image without a tag": ({"model": {"source": "oci://coder/m.gguf"}}, "oci://image:tag/file"),
    "a digest that nobody checks": (
        {"model": {"source": "pvc://models/m.gguf", "sha256": "a" * 64}},
        "pin an oci:// image by its digest",
    ),
    "no source": ({"model": {"source": None}}, "spec.model.source: Required value"),
    "no model": ({"model": None}, "model.source is required with this engine"),
    "half a digest": ({"model": {"sha256": "abc123"}}, "64 lowercase hexadecimal digits"),
    "digest in capitals": ({"model": {"sha256": "A" * 64}}, "64 lowercase hexadecimal digits"),
    "unknown engine": ({"engine": {"name": "vllm"}}, 'supported values: "llama-cpp", "mock"'),
    "no context": ({"engine": {"contextLength": 0}}, "greater than or equal to 16"),
    "too parallel": ({"engine": {"parallel": 65}}, "less than or equal to 64"),
    "unknown cache": ({"cache": {"mode": "Cluster"}}, 'supported values: "Shared", "Ephemeral"'),
    "size in words": ({"cache": {"size": "large"}}, "spec.cache.size: Invalid value"),
    "request above the limit": (
        {"resources": {"requests": {"cpu": "2"}, "limits": {"cpu": "1"}}},
        "requests.cpu is more than limits.cpu",
    ),
    "memory above the limit": (
        {"resources": {"requests": {"memory": "2Gi"}, "limits": {"memory": "1Gi"}}},
        "requests.memory is more than limits.memory",
    ),
    "no replicas": ({"scaling": {"minReplicas": 0}}, "greater than or equal to 1"),
    "least above most": (
        {"scaling": {"minReplicas": 3, "maxReplicas": 2}},
        "minReplicas is more than maxReplicas",
    ),
    "no target": ({"scaling": {"target": 0}}, "spec.scaling.target"),
    "a day of cooldown": ({"scaling": {"scaleDownCooldownSeconds": 86400}}, "less than or equal to 3600"),
    "node port without its type": ({"service": {"nodePort": 30083}}, "nodePort needs type NodePort"),
    "node port out of range": (
        {"service": {"type": "NodePort", "nodePort": 8080}},
        "greater than or equal to 30000",
    ),
    "auth without a Secret": ({"auth": {}}, "spec.auth.secretRef: Required value"),
    "unknown field": ({"replicas": 3}, 'unknown field "spec.replicas"'),
}

ADMITTED = "admitted"
UNCHANGEABLE: dict[str, Refusal] = {
    "smaller cache": ({"cache": {"size": "1Mi"}}, "size can only grow"),
    "other storage class": ({"cache": {"storageClassName": "fast"}}, "storageClassName cannot change"),
    "other access mode": ({"cache": {"accessMode": "ReadWriteMany"}}, "accessMode cannot change"),
}


@pytest.fixture(scope="module")
def admitted(namespace: str) -> Manifest:
    """A CodeModel that exists, with the engine that costs least."""
    manifest = codemodel(ADMITTED, {"model": None, "engine": {"name": "mock"}})
    kubectl("apply", "-f", "-", namespace=namespace, stdin=manifest)
    return manifest


def refusal_of(manifest: Manifest, namespace: str) -> str:
    outcome = attempt("apply", "--dry-run=server", "-f", "-", namespace=namespace, stdin=manifest)
    assert outcome.status != 0, f"accepted: {outcome.output}"
    return outcome.error


@pytest.mark.parametrize("case", REFUSED)
def test_a_bad_spec_is_refused_with_what_to_write(namespace: str, case: str) -> None:
    change, message = REFUSED[case]
    assert message in refusal_of(codemodel("refused", change), namespace)


@pytest.mark.parametrize("name", ["2nd-model", "code.model", "m" * 57])
def test_a_name_that_no_service_can_have_is_refused(namespace: str, name: str) -> None:
    assert "metadata.name names the Service too" in refusal_of(codemodel(name), namespace)


@pytest.mark.parametrize("case", UNCHANGEABLE)
def test_what_cannot_change_is_refused(namespace: str, admitted: Manifest, case: str) -> None:
    change, message = UNCHANGEABLE[case]
    changed = copy.deepcopy(admitted)
    changed["spec"] = merged(changed["spec"], change)
    assert message in refusal_of(changed, namespace)


def test_a_dry_run_says_yes_and_makes_nothing(api: Api, namespace: str) -> None:
    output = kubectl(
        "apply", "--dry-run=server", "-f", "-", namespace=namespace, stdin=codemodel("rehearsed")
    )
    assert output.strip() == "codemodel.codemodel.dev/rehearsed created (server dry run)"
    assert api.get("CodeModel", "rehearsed", namespace) is None


def test_defaults_are_filled_in_where_a_user_can_see_them(namespace: str) -> None:
    bare = codemodel("bare", dict.fromkeys(("engine", "cache", "resources", "scaling")))
    output = kubectl(
        "apply",
        "--dry-run=server",
        "-o",
        "jsonpath={.spec.scaling}",
        "-f",
        "-",
        namespace=namespace,
        stdin=bare,
    )
    assert '"maxReplicas":5' in output
    assert '"target":70' in output


def test_kubectl_explains_the_model() -> None:
    words = kubectl("explain", "codemodel.spec.model")
    assert "source" in words
    assert "-required-" in words
    assert "<no description>" not in kubectl("explain", "codemodel.spec", "--recursive=false")
