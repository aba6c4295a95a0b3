"""What editors' plugins send, byte for byte the fields that they do: llama.vim, llama.vscode, Continue, Tabby."""

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from inference_server.tests.support import ServerProcess, eventually

# autoload/llama.vim: s:ring_update (warm-up) and llama#fim.
VIM: dict[str, Any] = {
    "id_slot": 0,
    "input_prefix": "import sys\n\n",
    "input_suffix": "\nprint(total)\n",
    "input_extra": [{"filename": "util.py", "text": "def add(a, b):\n    return a + b\n"}],
    "prompt": "total = ",
    "n_predict": 32,
    "stop": [],
    "n_indent": 0,
    "top_k": 40,
    "top_p": 0.90,
    "samplers": ["top_k", "top_p", "infill"],
    "stream": False,
    "cache_prompt": True,
    "t_max_prompt_ms": 60_000,
    "t_max_predict_ms": 60_000,
    "response_fields": [
        "content",
        "timings/prompt_n",
        "timings/prompt_ms",
        "timings/prompt_per_token_ms",
        "timings/prompt_per_second",
        "timings/predicted_n",
        "timings/predicted_ms",
        "timings/predicted_per_token_ms",
        "timings/predicted_per_second",
        "truncated",
        "tokens_cached",
    ],
}
WARM_UP = {
    **VIM,
    "input_prefix": "",
    "input_suffix": "",
    "prompt": "",
    "n_predict": 0,
    "temperature": 0.0,
    "t_max_prompt_ms": 1,
    "t_max_predict_ms": 1,
    "response_fields": [""],
}
# src/llama-server.ts of llama.vscode.
VSCODE: dict[str, Any] = {
    **{key: value for key, value in VIM.items() if key not in ("response_fields", "id_slot")},
    "top_p": 0.99,
    "samplers": ["top_k", "top_p", "infill"],
    "n_predict": 16,
}


def events(response: httpx.Response) -> Iterator[dict[str, Any]]:
    for line in response.iter_lines():
        if line.startswith("data: ") and line != "data: [DONE]":
            yield json.loads(line.removeprefix("data: "))


def test_llama_vim_fills_in(server: ServerProcess) -> None:
    answer = server.client.post("/infill", json=VIM).json()
    assert list(answer) == VIM["response_fields"]
    assert isinstance(answer["content"], str)
    assert 0 < answer["timings/predicted_n"] <= 32


def test_llama_vim_warms_the_cache_and_reads_nothing_of_the_answer(server: ServerProcess) -> None:
    answer = server.client.post("/infill", json=WARM_UP)
    assert answer.status_code == 200
    assert answer.json() == {}


def test_llama_vscode_fills_in_and_looks_at_the_server(server: ServerProcess) -> None:
    answer = server.client.post("/infill", json=VSCODE).json()
    assert {"content", "timings", "tokens_cached", "truncated", "generation_settings"} <= set(answer)
    assert answer["stop"] is True
    assert server.client.get("/health").json()["status"] == "ok"
    assert server.client.get("/props").json()["default_generation_settings"]["n_ctx"] > 0
    assert server.client.get("/v1/models").json()["data"][0]["id"]


def test_leaving_ends_an_infill(server: ServerProcess) -> None:
    body = {**VIM, "n_predict": -1, "ignore_eos": True, "stream": True, "t_max_predict_ms": 0}
    running = "codemodel_requests_running"
    with server.client.stream("POST", "/infill", json=body) as response:
        assert next(events(response))["stop"] is False
    eventually(lambda: server.metric(running) == 0, "the place free")


def test_continue_streams_llama_cpps_completion(server: ServerProcess) -> None:
    body = {
        "prompt": "def add(a, b):",
        "stream": True,
        "n_predict": 8,
        "stop": ["\n\n\n\n"],
        "frequency_penalty": None,
    }
    with server.client.stream("POST", "/completion", json=body) as response:
        texts = [event["content"] for event in events(response)]
    assert all(isinstance(text, str) for text in texts)


@pytest.mark.parametrize("path", ["/fim/completions", "/v1/fim/completions"])
def test_continue_fills_in_as_with_mistral(server: ServerProcess, path: str) -> None:
    body = {
        "model": "codestral",
        "prompt": "def add(a, b):\n",
        "suffix": "\n",
        "max_tokens": 8,
        "temperature": 0.01,
        "top_p": 1,
        "stop": ["\n\n\n\n"],
        "stream": True,
    }
    with server.client.stream("POST", path, json=body) as response:
        lines = [line for line in response.iter_lines() if line]
    assert lines[-1] == "data: [DONE]"
    chunks = [json.loads(line.removeprefix("data: ")) for line in lines[:-1]]
    text = "".join(chunk["choices"][0]["delta"].get("content", "") for chunk in chunks)
    whole = server.client.post(path, json={**body, "stream": False}).json()
    assert isinstance(text, str)
    assert chunks[-1]["choices"][0]["finish_reason"] == whole["choices"][0]["finish_reason"]


def test_tabby_reads_content_and_stop_of_every_event(server: ServerProcess) -> None:
    body = {
        "prompt": "def add(a, b):",
        "seed": 42,
        "n_predict": 8,
        "temperature": 0.1,
        "stream": True,
        "penalty_last_n": 0,
        "presence_penalty": 0.0,
        "stop": [],
    }
    with server.client.stream("POST", "/completion", json=body) as response:
        lines = [line for line in response.iter_lines() if line and not line.startswith(":")]
    found = [json.loads(line.removeprefix("data: ")) for line in lines]
    assert all(isinstance(event["content"], str) for event in found)
    assert [event["stop"] for event in found] == [False] * (len(found) - 1) + [True]


def test_tabby_fills_in_by_completions(server: ServerProcess) -> None:
    body = {
        "model": "x",
        "prompt": "def ",
        "suffix": "\n",
        "max_tokens": 8,
        "temperature": 0.1,
        "stream": False,
    }
    for path in ("/v1/completions", "/completions"):
        assert isinstance(server.client.post(path, json=body).json()["choices"][0]["text"], str)


def test_tokens_become_the_text_again(server: ServerProcess) -> None:
    tokens = server.client.post("/tokenize", json={"content": "x = 'é'"}).json()["tokens"]
    assert server.client.post("/detokenize", json={"tokens": tokens}).json()["content"].strip() == "x = 'é'"
    pieces = server.client.post("/tokenize", json={"content": "x", "with_pieces": True}).json()["tokens"]
    assert {"id", "piece"} <= set(pieces[0])
    prompt = server.client.post("/apply-template", json={"messages": [{"role": "user", "content": "hi"}]})
    assert "hi" in prompt.json()["prompt"]


def test_several_prompts_and_mixed_ones(server: ServerProcess) -> None:
    several = server.client.post("/completion", json={"prompt": ["a = 1", "b = 2"], "n_predict": 2}).json()
    assert [answer["index"] for answer in several] == [0, 1]
    mixed = server.client.post("/completion", json={"prompt": [65, "b = 2"], "n_predict": 2, "n_probs": 2})
    assert mixed.json()["completion_probabilities"][0]["top_logprobs"]


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/completion", {}),
        ("/completion", {"prompt": {}}),
        ("/completion", {"prompt": []}),
        ("/completion", {"prompt": [2**30]}),
        ("/completion", {"prompt": "x", "grammar": "root ::= (", "n_predict": 2}),
        ("/completion", {"prompt": "x", "grammar": 'root ::= "a"', "json_schema": {}}),
        ("/completion", {"prompt": "x", "n_predict": -2}),
        ("/completion", {"prompt": "x " * 3000}),
        ("/infill", {"input_prefix": "x"}),
        ("/infill", {"input_prefix": "x", "input_suffix": "y", "input_extra": [{}]}),
        ("/detokenize", {"tokens": [2**31 - 1]}),
        ("/detokenize", {"tokens": ["x"]}),
        ("/apply-template", {"messages": []}),
        ("/apply-template", {"messages": [{"role": "root", "content": "x"}]}),
    ],
    ids=str,
)
def test_what_is_wrong_is_said_in_llama_cpps_form(
    server: ServerProcess, path: str, body: dict[str, Any]
) -> None:
    answer = server.client.post(path, json=body)
    assert answer.status_code == 400, answer.text
    error = answer.json()["error"]
    assert error["code"] == 400
    assert error["type"] in ("invalid_request_error", "exceed_context_size_error")
    assert error["message"]
