"""What may be read instead of a prompt: a conversation, and code around a hole."""

from typing import Any

import pytest

from codemodel_server.engines.base import GenerationRequest, Message
from codemodel_server.engines.llama_cpp.prompt import PromptFormat
from codemodel_server.errors import InvalidRequestError
from inference_server.tests.support import ServerProcess, StartServer

USER = {"role": "user", "content": "x"}


class Letters:
    """A model whose tokens are the letters of a text, with 1, 2, 3 for filling in and 0 for the beginning."""

    chat_template: str | None = None
    fill_in_tokens = (1, 2, 3)
    beginning_of_text, end_of_text = 0, -1
    adds_beginning_of_text = True

    def token_text(self, token: int) -> str:
        return "<s>" if token == 0 else ""

    def tokenize(self, text: str, *, add_special: bool, parse_special: bool) -> list[int]:
        return [*([0] if add_special else []), *map(ord, text)]


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


def test_filling_in_puts_the_models_tokens_around_the_hole() -> None:
    form = PromptFormat(Letters())  # type: ignore[arg-type]
    request = GenerationRequest("a", max_tokens=1, suffix="b")
    assert form.of_request(request) == [0, 1, ord("a"), 2, ord("b"), 3]


def test_a_model_that_cannot_says_which_field_to_leave_out() -> None:
    plain = Letters()
    plain.fill_in_tokens = (1, 2, -1)
    form = PromptFormat(plain)  # type: ignore[arg-type]
    for request, field in (
        (GenerationRequest("a", max_tokens=1, suffix="b"), "suffix"),
        (GenerationRequest("", max_tokens=1, messages=(Message("user", "x"),)), "messages"),
    ):
        with pytest.raises(InvalidRequestError) as refused:
            form.of_request(request)
        assert refused.value.field == field


def test_a_template_may_refuse_and_cannot_leave_its_sandbox() -> None:
    picky = Letters()
    picky.chat_template = (
        "{% if messages[0].role == 'system' %}{{ raise_exception('no system') }}{% endif %}x"
    )
    form = PromptFormat(picky)  # type: ignore[arg-type]
    with pytest.raises(InvalidRequestError, match="no system"):
        form.of_request(
            GenerationRequest("", max_tokens=1, messages=(Message("system", "x"), Message("user", "y")))
        )
    nosy = Letters()
    nosy.chat_template = "{% if messages|length > 1 %}{{ messages.__class__.__mro__ }}{% endif %}x"
    form = PromptFormat(nosy)  # type: ignore[arg-type]
    with pytest.raises(InvalidRequestError, match="unsafe"):
        form.of_request(
            GenerationRequest("", max_tokens=1, messages=(Message("user", "x"), Message("user", "y")))
        )
