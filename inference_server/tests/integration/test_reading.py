"""What may be read instead of a prompt: a conversation, and code around a hole."""

from typing import Any

import pytest

from inference_server.tests.support import ServerProcess, StartServer

USER = {"role": "user", "content": "x"}


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"messages": [USER], "prompt": "x"}, "messages"),
        ({"messages": [USER], "suffix": "x"}, "suffix"),
        ({"messages": []}, "messages"),
        ({"messages": [{"role": "root", "content": "x"}]}, "messages"),
        ({"messages": [{"role": "user"}]}, "messages"),
        ({"messages": [{**USER, "name": "x"}]}, "messages"),
        ({"messages": [USER, {"role": "assistant", "content": "y"}]}, "messages"),
        ({"messages": "x"}, "messages"),
        ({"suffix": "x"}, "prompt"),
        ({"prompt": "", "suffix": ""}, "prompt"),
        ({"prompt": "x", "suffix": 1}, "suffix"),
    ],
)
def test_what_makes_no_sense_is_refused_with_the_field_named(
    sample_server: ServerProcess, body: dict[str, Any], field: str
) -> None:
    answer = sample_server.chat(**body)
    assert answer.status_code == 400
    assert answer.json()["error"]["field"] == field


def test_the_sample_model_converses_and_fills_in(sample_server: ServerProcess) -> None:
    options = {"max_tokens": 8, "temperature": 0}
    one = sample_server.chat(prompt="def add(a, b):", **options).json()
    turn = {"role": "user", "content": "def add(a, b):"}
    assert sample_server.chat(messages=[turn], **options).json()["usage"] == one["usage"]
    history = [{"role": "system", "content": "Be brief."}, turn, {"role": "assistant", "content": "1"}, turn]
    longer = sample_server.chat(messages=history, **options).json()["usage"]
    assert longer["prompt_tokens"] > 2 * one["usage"]["prompt_tokens"]
    for prompt, suffix in (("def add(a, b):\n", "\nprint(add(1, 2))"), ("", "x = 1"), ("x = 1", "")):
        assert (
            sample_server.chat(prompt=prompt, suffix=suffix, **options).json()["usage"]["completion_tokens"]
            > 0
        )


@pytest.mark.parametrize(
    "body", [{"messages": [{**USER, "content": "x " * 300}]}, {"prompt": "x", "suffix": "x " * 300}]
)
def test_too_long_is_said_of_conversation_and_suffix_too(
    start_server: StartServer, body: dict[str, Any]
) -> None:
    server = start_server("--engine", "mock", "--context-length", "64")
    server.wait_ready()
    error = server.chat(**body).json()["error"]
    assert error["type"] == "prompt_too_long"
    assert error["field"] == ("messages" if "messages" in body else "prompt")
    assert error["n_prompt_tokens"] > error["n_ctx"] == 64
