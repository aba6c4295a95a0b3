"""Every route of a running server, with the mock engine."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from inference_server.tests.support import ServerProcess, StartServer, eventually

PAGE = "<!doctype html><html><style>p{}</style><p>page</p><script>let x = 1;</script></html>"
MEBIBYTE = 1 << 20


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    folder = tmp_path_factory.mktemp("mock")
    (folder / "index.html").write_text(PAGE)
    server = ServerProcess(
        folder,
        ("--engine", "mock", "--mock-tokens-per-second", "0", "--context-length", "512"),
        {"FRONTEND_DIR": str(folder), "POD_NAME": "pod-7"},
    )
    server.wait_ready()
    yield server
    server.close()


def test_a_chat_is_answered_with_text_and_figures(server: ServerProcess) -> None:
    answer = server.chat(prompt="def add(a, b):", max_tokens=8).json()
    assert answer["response"]
    assert answer["usage"] == {"prompt_tokens": 10, "completion_tokens": 8}
    assert (answer["model"], answer["engine"], answer["replica"]) == ("mock", "mock", "pod-7")
    assert answer["finish_reason"] == "length"
    assert 0 <= answer["time_to_first_token_seconds"] <= answer["latency_seconds"]


def test_a_stream_has_the_same_text_and_ends_with_figures(server: ServerProcess) -> None:
    whole = server.chat(prompt="x = 1", max_tokens=12).json()
    with server.stream(prompt="x = 1", max_tokens=12) as stream:
        assert stream.response.headers["Content-Type"].startswith("text/event-stream")
        *tokens, last = stream.events()
    assert "".join(event["token"] for event in tokens) == whole["response"]
    assert last["done"] is True
    assert last["usage"] == whole["usage"]


def test_a_stop_text_ends_the_answer(server: ServerProcess) -> None:
    whole = server.chat(prompt="stop here", max_tokens=50).json()["response"]
    stop = whole[20:24]
    answer = server.chat(prompt="stop here", max_tokens=50, stop=[stop]).json()
    assert answer["response"] == whole[: whole.index(stop)]
    assert answer["finish_reason"] == "stop"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (b"", None),
        (b"{", None),
        (b"[]", None),
        (b'"text"', None),
        (b"null", None),
        (b'{"prompt": "\xff\xfe"}', None),
        (b"[" * 100_000, None),
        (b'{"prompt": ' + b"[" * 100_000, None),
        (b"{}", "prompt"),
        (b'{"prompt": ""}', "prompt"),
        (b'{"prompt": 1}', "prompt"),
        (b'{"prompt": null}', "prompt"),
        (b'{"prompt": "x", "max_tokens": 0}', "max_tokens"),
        (b'{"prompt": "x", "max_tokens": -1}', "max_tokens"),
        (b'{"prompt": "x", "max_tokens": 513}', "max_tokens"),
        (b'{"prompt": "x", "max_tokens": 1e99}', "max_tokens"),
        (b'{"prompt": "x", "max_tokens": "8"}', "max_tokens"),
        (b'{"prompt": "x", "max_tokens": true}', "max_tokens"),
        (b'{"prompt": "x", "temperature": 2.1}', "temperature"),
        (b'{"prompt": "x", "temperature": NaN}', "temperature"),
        (b'{"prompt": "x", "top_p": 0}', "top_p"),
        (b'{"prompt": "x", "top_k": -1}', "top_k"),
        (b'{"prompt": "x", "seed": -1}', "seed"),
        (b'{"prompt": "x", "stop": "x"}', "stop"),
        (b'{"prompt": "x", "stop": [""]}', "stop"),
        (b'{"prompt": "x", "stream": "yes"}', "stream"),
        (b'{"prompt": "x", "tokens": 8}', "tokens"),
    ],
)  # fmt: skip
def test_a_bad_body_is_refused_with_the_field_named(
    server: ServerProcess, body: bytes, field: str | None
) -> None:
    answer = server.client.post("/chat", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 400
    error = answer.json()["error"]
    assert error["field"] == field
    assert error["type"] == "invalid_request"
    assert error["message"]


def test_half_a_surrogate_is_refused(server: ServerProcess) -> None:
    answer = server.client.post(
        "/chat", content=rb'{"prompt": "\ud800"}', headers={"Content-Type": "application/json"}
    )
    assert answer.status_code == 400


def test_a_prompt_longer_than_the_context_is_refused_with_both_numbers(server: ServerProcess) -> None:
    error = server.chat(prompt="a b " * 400).json()["error"]
    assert error["field"] == "prompt"
    assert "1600" in error["message"]
    assert "512" in error["message"]


@pytest.mark.parametrize(
    ("method", "path", "headers", "body", "status", "kind"),
    [
        ("GET", "/nowhere", {}, b"", 404, "not_found"),
        ("GET", "/chat", {}, b"", 405, "method_not_allowed"),
        ("POST", "/health", {}, b"", 405, "method_not_allowed"),
        ("POST", "/chat", {"Content-Type": "text/plain"}, b"{}", 415, "unsupported_media_type"),
        ("POST", "/chat", {}, b"{}", 415, "unsupported_media_type"),
        ("POST", "/chat", {"Content-Type": "application/json"}, b" " * (MEBIBYTE + 1), 413, "body_too_large"),
    ],
)
def test_errors_of_http_are_json_too(
    server: ServerProcess,
    method: str,
    path: str,
    headers: dict[str, str],
    body: bytes,
    status: int,
    kind: str,
) -> None:
    answer = server.client.request(method, path, headers={**headers, "Connection": "close"}, content=body)
    assert answer.status_code == status
    assert answer.json()["error"]["type"] == kind


def test_a_long_unknown_name_is_not_repeated_at_length(server: ServerProcess) -> None:
    answer = server.client.post(
        "/chat", content=b'{"' + b"k" * 100_000 + b'": 1}', headers={"Content-Type": "application/json"}
    )
    assert answer.status_code == 400
    assert len(answer.content) < 1000


def test_errors_of_http_say_what_to_do(server: ServerProcess) -> None:
    assert "POST /chat" in server.client.get("/nowhere").json()["error"]["message"]
    assert "use OPTIONS, POST" in server.client.get("/chat").json()["error"]["message"]


def test_a_chunked_body_is_bounded_too(server: ServerProcess) -> None:
    headers = {"Content-Type": "application/json", "Connection": "close"}
    chunks = (b" " * 65536 for _ in range(20))
    answer = server.client.post("/chat", content=chunks, headers=headers)
    assert answer.status_code == 413


def test_browsers_of_other_origins_may_ask(server: ServerProcess) -> None:
    headers = {
        "Origin": "http://editor.example",
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "content-type",
    }
    answer = server.client.options("/chat", headers=headers)
    assert answer.is_success
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert "content-type" in answer.headers["Access-Control-Allow-Headers"].lower()


def test_probes_and_info(server: ServerProcess) -> None:
    assert server.client.get("/health").json() == {"status": "ok"}
    assert server.client.get("/ready").json() == {"status": "ready", "model": "mock", "engine": "mock"}
    info = server.client.get("/info").json()
    assert (info["context_length"], info["replica"]) == (512, "pod-7")


def test_the_page_comes_with_a_policy_that_lets_only_it_run(server: ServerProcess) -> None:
    answer = server.client.get("/")
    assert answer.text == PAGE
    policy = answer.headers["Content-Security-Policy"]
    # printf 'let x = 1;' | openssl dgst -sha256 -binary | base64
    assert "script-src 'sha256-qtc3jf64UXA5J6U02kfQ0Cvn9Uz4wXUaN3NNUVgR2v4='" in policy
    assert "unsafe" not in policy


def test_metrics_count_requests_and_tokens(server: ServerProcess) -> None:
    generated, prompts = "codemodel_generated_tokens_total", "codemodel_prompt_tokens_total"
    before = server.metric(generated), server.metric(prompts)
    server.chat(prompt="one two", max_tokens=5)
    assert server.metric(generated) == before[0] + 5
    assert server.metric(prompts) == before[1] + 3
    assert server.metric("codemodel_requests_total") > 0
    assert server.metric("codemodel_request_duration_seconds_count") > 0
    assert server.metric("codemodel_time_to_first_token_seconds_count") > 0
    assert server.metric("codemodel_model_info") == 1


def test_the_access_log_is_json_without_probes(server: ServerProcess) -> None:
    server.client.get("/nowhere-else")
    # A line is written when its answer is sent already.
    eventually(lambda: "/nowhere-else" in server.log(), "the line")
    lines = [json.loads(line) for line in server.log().splitlines()]
    assert "/nowhere-else" in [line["path"] for line in lines if line["message"] == "request"]
    assert "/ready" not in [line["path"] for line in lines if line.get("status") == 200]


def test_a_missing_page_says_what_to_set(tmp_path: Path, start_server: StartServer) -> None:
    server = start_server("--engine", "mock", FRONTEND_DIR=str(tmp_path))
    answer = server.client.get("/")
    assert answer.status_code == 404
    assert "FRONTEND_DIR" in answer.json()["error"]["message"]
