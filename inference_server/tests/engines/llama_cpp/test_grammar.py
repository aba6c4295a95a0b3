"""JSON schemas from strangers."""

import json
from typing import Any

import pytest

from codemodel_server.engines.llama_cpp.grammar import grammar_of_schema
from codemodel_server.errors import InvalidRequestError


def test_a_schema_becomes_a_grammar() -> None:
    grammar = grammar_of_schema(
        '{"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]}'
    )
    assert "root ::=" in grammar


def nested(depth: int) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "string"}
    for _ in range(depth):
        schema = {"type": "array", "items": schema}
    return schema


@pytest.mark.parametrize(
    ("schema", "reason"),
    [
        ({"type": "array", "items": {"type": "string"}, "minItems": 1_000_000_000}, "minItems"),
        ({"type": "string", "maxLength": 1_000_000_000}, "maxLength"),
        ({"type": "string", "pattern": "^(a{1000}){1000}$"}, "pattern"),
        ({"$ref": "https://example.com/schema.json"}, "followed"),
        ({"$ref": "#/nowhere"}, "followed"),
        ({"type": "no such type"}, "followed"),
        ({"type": "integer", "minimum": 2, "maximum": 1}, "no integer"),
        ({"type": "integer", "minimum": "2"}, "minimum"),
        (nested(100), "deeply"),
        ({"enum": ["x" * 70_000]}, "characters"),
    ],
)
def test_a_schema_that_cannot_be_followed_is_refused(schema: dict[str, Any], reason: str) -> None:
    with pytest.raises(InvalidRequestError, match=reason) as refused:
        grammar_of_schema(json.dumps(schema))
    assert refused.value.field == "json_schema"


def test_what_is_not_json_is_refused() -> None:
    with pytest.raises(InvalidRequestError):
        grammar_of_schema("{")
