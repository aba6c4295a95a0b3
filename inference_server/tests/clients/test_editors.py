"""What editors' plugins send, byte for byte the fields that they do: llama.vim, llama.vscode, Continue, Tabby."""

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from inference_server.tests.clients.conftest import CONTEXT
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


# Tokens that leave room for a short answer.
LONG_PROMPT = [65] * (CONTEXT - 40)


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


# src/llama-server.ts of llama.vscode: createChatEditRequestPayload.
VSCODE_EDIT = {
    "messages": [
        {"role": "system", "content": "Edit the code as the user asks."},
        {"role": "user", "content": "Rename `a` to `b`:\na = 1\n"},
    ],
    "stream": False,
    "temperature": 0.2,
    "top_p": 0.95,
    "max_tokens": -1,
}


@pytest.mark.parametrize("field", ["max_tokens", "max_completion_tokens", "n_predict"])
def test_llama_vscode_asks_for_an_edit_of_any_length(server: ServerProcess, field: str) -> None:
    asked = {name: value for name, value in VSCODE_EDIT.items() if name != "max_tokens"} | {field: -1}
    answer = server.client.post("/v1/chat/completions", json={**asked, "stop": ["a", "e", " ", "\n"]})
    assert answer.status_code == 200, answer.text


@pytest.mark.parametrize("limit", [{"max_tokens": -1}, {"n_predict": -1}], ids=str)
def test_no_limit_is_not_openais_default(server: ServerProcess, limit: dict[str, int]) -> None:
    body = {"prompt": LONG_PROMPT, "ignore_eos": True}
    assert usage(server, body) == 16
    assert usage(server, {**body, **limit}) == CONTEXT - len(LONG_PROMPT)


def usage(server: ServerProcess, body: dict[str, Any]) -> int:
    answer = server.client.post("/v1/completions", json=body)
    return int(answer.json()["usage"]["completion_tokens"])


def test_llama_vim_warms_the_cache_for_an_instruction(server: ServerProcess) -> None:
    """autoload/llama.vim: llama#inst."""
    body = {
        "id_slot": 0,
        "messages": VSCODE_EDIT["messages"],
        "n_predict": 0,
        "samplers": [],
        "stream": False,
        "cache_prompt": True,
        "response_fields": [""],
    }
    answer = server.client.post("/v1/chat/completions", json=body).json()
    assert answer["usage"]["completion_tokens"] == 0
    assert answer["choices"][0]["message"]["content"] == ""


def test_n_predict_comes_before_openais_limits(server: ServerProcess) -> None:
    asked = {**VSCODE_EDIT, "n_predict": 3, "max_tokens": 7, "max_completion_tokens": 9, "ignore_eos": True}
    answer = server.client.post("/v1/chat/completions", json=asked).json()
    assert answer["usage"]["completion_tokens"] == 3


def test_a_stream_tells_the_same_as_a_whole_answer(server: ServerProcess) -> None:
    body = {"prompt": "def add(a, b):", "n_predict": 60, "temperature": 0, "seed": 4, "ignore_eos": True}
    body["logit_bias"] = [["\n", 50]]
    whole = server.client.post("/completion", json=body).json()
    with server.client.stream("POST", "/completion", json={**body, "stream": True}) as response:
        *partial, last = events(response)
    assert "\n" in whole["content"]
    assert last["has_new_line"] is whole["has_new_line"] is True
    assert all(event["tokens"] for event in partial)


@pytest.mark.parametrize(("limit", "truncated"), [(-1, True), (60, True), (40, False), (39, False)])
def test_an_answer_that_the_context_ends_is_truncated(
    server: ServerProcess, limit: int, truncated: bool
) -> None:
    body = {"prompt": LONG_PROMPT, "n_predict": limit, "ignore_eos": True}
    assert server.client.post("/completion", json=body).json()["truncated"] is truncated


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/completion", {"prompt": "x " * 3000}),
        ("/v1/chat/completions", {"messages": [{"role": "user", "content": "x " * 3000}]}),
    ],
)
def test_a_client_can_make_a_prompt_fit(server: ServerProcess, path: str, body: dict[str, Any]) -> None:
    error = server.client.post(path, json=body).json()["error"]
    assert error["n_ctx"] == CONTEXT
    assert error["n_prompt_tokens"] > CONTEXT
    assert "exceeds the available context size" in error["message"]


def test_a_forbidden_token_is_not_chosen(server: ServerProcess) -> None:
    body = {"prompt": "x", "n_predict": 1, "temperature": 0, "return_tokens": True, "ignore_eos": True}
    (first,) = server.client.post("/completion", json=body).json()["tokens"]
    for bias in ({str(first): False}, [[first, False]]):
        answer = server.client.post("/completion", json={**body, "logit_bias": bias})
        assert answer.status_code == 200
        if server.client.get("/ready").json()["engine"] != "mock":
            assert answer.json()["tokens"] != [first]


def test_a_conversation_becomes_a_prompt_as_it_is_answered(server: ServerProcess) -> None:
    def prompt(*turns: tuple[str, Any], **more: Any) -> str:
        messages = [{"role": role, "content": content} for role, content in turns]
        answer = server.client.post("/apply-template", json={"messages": messages, **more})
        assert answer.status_code == 200, answer.text
        text: str = answer.json()["prompt"]
        return text

    asked = prompt(("user", "add"))
    assert prompt(("user", [{"type": "text", "text": "add"}])) == asked
    # What the assistant has begun, the answer continues.
    assert prompt(("user", "add"), ("assistant", "def f(")) == f"{asked}def f("
    unanswered = prompt(("user", "add"), add_generation_prompt=False)
    assert asked.startswith(unanswered)
    assert len(unanswered) < len(asked)


def test_an_answer_begins_once(server: ServerProcess) -> None:
    turns = [{"role": role, "content": "x"} for role in ("user", "assistant", "assistant")]
    answer = server.client.post("/v1/chat/completions", json={"messages": turns, "max_tokens": 2})
    assert answer.status_code == 400
    assert "not the last two" in answer.json()["error"]["message"]


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
        ("/completion", {"prompt": "x", "n_predict": 2, "n_probs": 1, "post_sampling_probs": True}),
        ("/completion", {"prompt": "x", "n_predict": 2, "n": 2}),
        ("/completion", {"prompt": "x", "n_predict": 2, "n_cmpl": 2}),
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
