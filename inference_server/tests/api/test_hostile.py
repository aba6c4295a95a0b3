"""Whatever is sent to a route, it is refused clearly, in the form of its surface, and never with a 500."""

import json
from typing import Any

import pytest
from flask import Flask

from codemodel_server.api.openapi import OPERATIONS

POSTED = [path for path, operation in OPERATIONS.items() if operation.body]
VALID: dict[str, Any] = {
    "prompt": "x",
    "messages": [{"role": "user", "content": "x"}],
    "input_prefix": "x",
    "input_suffix": "y",
}


def post(app: Flask, path: str, body: bytes, kind: str = "application/json") -> Any:
    return app.test_client().post(path, data=body, content_type=kind)


@pytest.mark.parametrize("path", POSTED)
@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'"x"',
        b"1e400",
        b'{"prompt": "\xff\xfe"}',
        rb'{"prompt": "\ud800"}',
        b"[" * 100_000,
        b'{"prompt": ' + b"[" * 100_000,
        b'{"tools": ' + b'{"a":' * 100_000,
        b'{"json_schema": ' + b"[" * 100_000,
        b'{"max_tokens": ' + b"9" * 10_000 + b"}",
    ],
    ids=lambda body: repr(body[:30]),
)
def test_what_is_no_request_is_refused(app: Flask, path: str, body: bytes) -> None:
    answer = post(app, path, body)
    # All their fields have defaults, and those of others are ignored.
    assert answer.status_code == 400 or (path in {"/tokenize", "/detokenize"} and answer.status_code == 200)
    assert len(answer.data) < 2000


@pytest.mark.parametrize(
    ("path", "form"),
    [
        ("/chat", {"message", "type", "field"}),
        ("/v1/chat/completions", {"message", "type", "param", "code"}),
        ("/completions", {"message", "type", "param", "code"}),
        ("/fim/completions", {"message", "type", "param", "code"}),
        ("/infill", {"message", "type", "code"}),
        ("/tokenize", {"message", "type", "code"}),
    ],
)
@pytest.mark.parametrize(
    ("kind", "size", "status"), [("text/plain", 2, 415), ("application/json", 1 << 20, 413)]
)
def test_errors_of_http_have_the_form_of_the_surface(
    app: Flask, path: str, form: set[str], kind: str, size: int, status: int
) -> None:
    answer = post(app, path, b" " * size, kind)
    assert answer.status_code == status
    assert set(answer.json["error"]) == form
    assert app.test_client().delete(path).status_code == 405
    assert set(app.test_client().delete(path).get_json()["error"]) == form


def test_unknown_routes_under_v1_speak_openais_form(app: Flask) -> None:
    for path in ("/v1/embeddings", "/v1/chat/completions/x"):
        answer = app.test_client().post(path, json={})
        assert answer.status_code == 404
        assert answer.get_json()["error"]["code"] == "not_found"


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/completions", "/completion", "/infill"])
@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("temperature", "NaN"),
        ("temperature", "Infinity"),
        ("temperature", "-1"),
        ("temperature", "1e400"),
        ("top_p", "2"),
        ("top_k", "1e99"),
        ("seed", '"x"'),
        ("seed", "9" * 40),
        ("stop", "[" + ",".join(['"x"'] * 65) + "]"),
        ("stop", '"' + "x" * 257 + '"'),
        ("stop", "[1]"),
        ("logit_bias", '{"-1": 1}'),
        ("logit_bias", "{" + ",".join(f'"{n}": 1' for n in range(1025)) + "}"),
        ("logit_bias", '{"99999999": 1}'),
        ("logit_bias", '{"' + "9" * 5000 + '": 1}'),
        ("logit_bias", '[[1, "x"]]'),
        ("logit_bias", '{"²": 1e300}'),
        ("stream", '"yes"'),
        ("max_tokens", "-5"),
        ("max_tokens", "1.5"),
        ("max_tokens", "true"),
        ("max_tokens", "9" * 30),
        ("grammar", '"root ::= \\u0000"'),
        ("json_schema", '"x"'),
        ("json_schema", '{"a": NaN}'),
    ],
)
def test_a_field_out_of_its_bounds_is_refused(app: Flask, path: str, field: str, value: str) -> None:
    body = json.dumps(VALID)[:-1] + f', "{field}": {value}}}'
    answer = post(app, path, body.encode())
    assert answer.status_code == 400, answer.text
    assert field in answer.json["error"]["message"] or "JSON" in answer.json["error"]["message"]


@pytest.mark.parametrize("path", POSTED)
def test_nul_is_a_character_like_others(app: Flask, path: str) -> None:
    body = dict.fromkeys(("prompt", "content", "input_prefix", "input_suffix", "suffix"), "a\x00b")
    if path == "/chat":
        body = {"prompt": "a\0b"}
    messages = [{"role": "user", "content": "a\0b"}]
    answer = app.test_client().post(
        path, json={**body, **({} if path == "/chat" else {"messages": messages})}
    )
    assert answer.status_code == 200, answer.text


def test_prompts_and_choices_are_bounded_together(app: Flask) -> None:
    client = app.test_client()
    assert client.post("/v1/completions", json={"prompt": ["x"] * 16, "max_tokens": 1}).status_code == 200
    assert client.post("/v1/completions", json={"prompt": ["x"] * 9, "n": 2}).status_code == 400
    assert client.post("/v1/completions", json={"prompt": ["x"] * 17}).status_code == 400
    assert client.post("/completion", json={"prompt": ["x"] * 17}).status_code == 400
    assert client.post("/v1/completions", json={"prompt": "x", "best_of": 2}).status_code == 400
    assert (
        client.post("/v1/completions", json={"prompt": "x", "echo": True, "logprobs": 1}).status_code == 400
    )
