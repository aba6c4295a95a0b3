"""The models, and the CRD that is generated from them."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codemodel_operator.api.codemodel import parse_spec
from codemodel_operator.api.crd import build_crd, render
from codemodel_operator.api.quantity import parse_quantity
from codemodel_operator.api.spec import CodeModelSpec

ROOT = Path(__file__).parents[3]
SHA = "0123456789abcdef" * 4


def test_the_file_is_what_the_models_say() -> None:
    assert (ROOT / "crds" / "codemodels.codemodel.dev.yaml").read_text() == render()


def schemas(node: Any) -> list[dict[str, Any]]:
    """All schemas in a schema."""
    found: list[dict[str, Any]] = [node]
    for child in node.get("properties", {}).values():
        found += schemas(child)
    if "items" in node:
        found += schemas(node["items"])
    return found


def test_the_schema_is_structural_and_described() -> None:
    version = build_crd()["spec"]["versions"][0]
    root = version["schema"]["openAPIV3Schema"]["properties"]
    for schema in (*schemas(root["spec"]), *schemas(root["status"])):
        assert schema["description"].endswith("."), schema
        assert not schema.keys() & {"$ref", "$defs", "title", "anyOf", "allOf", "const", "exclusiveMinimum"}
        assert ("type" in schema) != ("x-kubernetes-int-or-string" in schema)


def test_the_defaults_of_the_crd_are_those_of_the_models() -> None:
    properties = build_crd()["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]
    defaults = {n: c["default"] for n, c in properties["spec"]["properties"].items() if "default" in c}
    model = {"source": "http://h/m.gguf"}
    assert CodeModelSpec.model_validate({"model": model}) == CodeModelSpec.model_validate(
        {"model": model, **defaults}
    )
    # Only the operator writes the status; the one default says that it has not done so.
    in_status = [schema["default"] for schema in schemas(properties["status"]) if "default" in schema]
    assert in_status == [{"observedGeneration": -1}]


@pytest.mark.parametrize(
    ("spec", "where", "help_text"),
    [
        ({}, "spec", "model.source is required"),
        ({"model": {"source": "ftp://h/m"}}, "spec.model", "http://"),
        ({"model": {"source": "http://user:secret@h/m"}}, "spec.model", "secretRef"),
        ({"model": {"source": "http://h/m", "sha256": SHA.upper()}}, "spec.model", "lowercase"),
        ({"engine": {"name": "other"}}, "spec.engine.name", "llama-cpp"),
        ({"engine": {"name": "mock", "parallel": 65}}, "spec.engine.parallel", "64"),
        ({"engine": {"name": "mock"}, "cache": {"size": "ten"}}, "spec.cache.size", "4Gi"),
        ({"engine": {"name": "mock"}, "scaling": {"minReplicas": 6}}, "spec.scaling", "raise maxReplicas"),
        ({"engine": {"name": "mock"}, "scaling": {"minReplicas": 0}}, "spec.scaling.minReplicas", "1"),
        ({"engine": {"name": "mock"}, "service": {"nodePort": 30000}}, "spec.service", "type to NodePort"),
        ({"engine": {"name": "mock"}, "auth": {}}, "spec.auth.secretRef", "required"),
        ({"engine": {"name": "ollama"}}, "spec.engine.name", "mock"),
        ({"engine": {"name": "mock"}, "cache": {"size": -1}}, "spec.cache.size", "above zero"),
        (
            {"engine": {"name": "mock"}, "resources": {"requests": {"cpu": 5}}},
            "spec.resources",
            "raise the limit",
        ),
    ],
)
def test_a_wrong_spec_is_explained(spec: dict[str, Any], where: str, help_text: str) -> None:
    message = parse_spec({"spec": spec})
    assert isinstance(message, str)
    assert message.startswith(f"{where}: ")
    assert help_text in message


def test_fields_of_another_version_do_not_matter() -> None:
    parsed = parse_spec({"spec": {"engine": {"name": "mock", "retired": 1}, "retired": {"a": []}}})
    assert isinstance(parsed, CodeModelSpec)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("500m", "0.5"),
        ("2", "2"),
        ("1.5Gi", "1610612736"),
        ("1e3", "1000"),
        ("1E", "1e18"),
        ("1Ei", str(2**60)),
        (".5", "0.5"),
        ("5.", "5"),
        ("100u", "0.0001"),
    ],
)
def test_quantities_have_a_value(text: str, value: str) -> None:
    assert parse_quantity(text) == Decimal(value)


@given(st.integers(0, 10**9))
def test_a_quantity_has_many_spellings(number: int) -> None:
    assert parse_quantity(number) == parse_quantity(f"{number}000m") == parse_quantity(f"{number}e0")
    assert parse_quantity(f"{number * 1024}Mi") == parse_quantity(f"{number}Gi")


@pytest.mark.parametrize("text", ["", "ten", "1 Gi", "1GiB", "1e", "1.2.", "--1", "0x10", "4Gi\n", "१"])
def test_anything_else_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ValueError, match="4Gi"):
        parse_quantity(text)
