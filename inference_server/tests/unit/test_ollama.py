"""The Ollama engine against a server that speaks as Ollama does."""

import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from codemodel_server.cancellation import Cancellation
from codemodel_server.engines.events import Event, Finish, Text
from codemodel_server.engines.ollama import OllamaEngine
from codemodel_server.engines.request import (
    Conversation,
    GenerationRequest,
    Infill,
    Instruction,
    Message,
    Plain,
    Reading,
    Sampling,
)
from codemodel_server.errors import InvalidRequestError, LoadError, ServingError, UpstreamError

REQUEST = GenerationRequest(Instruction("x"), 5, Sampling(seed=3, min_p=0.1), stop=("\n\n",))
Answer = Callable[[httpx.Request], httpx.Response]
DONE = {
    "response": "",
    "done": True,
    "done_reason": "length",
    "prompt_eval_count": 4,
    "eval_count": 2,
    "prompt_eval_duration": 500_000_000,
    "eval_duration": 1_000_000_000,
}


def engine(answer: Answer) -> OllamaEngine:
    return OllamaEngine("http://ollama", "coder:7b", 512, 1, httpx.MockTransport(answer))


def generate(answer: Answer, request: GenerationRequest = REQUEST) -> list[Event]:
    return list(engine(answer).prepare(request).run(Cancellation()))


def lines(*parts: dict[str, object]) -> Answer:
    return lambda _request: httpx.Response(200, text="".join(json.dumps(part) + "\n" for part in parts))


def asked_for(request: GenerationRequest) -> tuple[str, dict[str, Any]]:
    """What Ollama is asked for a request."""
    asked: list[tuple[str, dict[str, Any]]] = []

    def answer(sent: httpx.Request) -> httpx.Response:
        asked.append((sent.url.path, json.loads(sent.content)))
        return lines(DONE)(sent)

    generate(answer, request)
    return asked[0]


def away(request: httpx.Request) -> httpx.Response:
    raise httpx.ConnectError("refused", request=request)


def test_text_counts_and_times_are_passed_on() -> None:
    assert generate(lines({"response": "a"}, {"response": "b"}, DONE)) == [
        Text("a"),
        Text("b"),
        Finish("length", 4, 2, prefill_seconds=0.5, decode_seconds=1.0),
    ]
    said: dict[str, object] = {"message": {"role": "assistant", "content": "a"}}
    assert generate(lines(said, {"message": {"content": ""}, "done": True}))[0] == Text("a")


def test_sampling_becomes_options() -> None:
    path, body = asked_for(REQUEST)
    assert (path, body["model"], body["truncate"], body["shift"]) == (
        "/api/generate",
        "coder:7b",
        False,
        False,
    )
    assert body["options"] == {
        "num_ctx": 512, "num_predict": 5, "temperature": 0.2, "top_p": 0.95, "top_k": 40, "min_p": 0.1,
        "repeat_penalty": 1.0, "repeat_last_n": 64, "presence_penalty": 0.0, "frequency_penalty": 0.0,
        "stop": ["\n\n"], "seed": 3,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("reading", "path", "fields"),
    [
        (Instruction("p"), "/api/generate", {"prompt": "p"}),
        (Plain("p"), "/api/generate", {"prompt": "p", "raw": True}),
        (Infill("p", "s", prompt="q"), "/api/generate", {"prompt": "pq", "suffix": "s"}),
        (Infill("p", ""), "/api/generate", {"prompt": "p", "raw": True}),
        (
            Conversation((Message("system", "s"), Message("user", "u"))),
            "/api/chat",
            {"messages": [{"role": "system", "content": "s"}, {"role": "user", "content": "u"}]},
        ),
    ],
)
def test_what_is_read_is_asked_for_as_ollama_wants_it(
    reading: Reading, path: str, fields: dict[str, Any]
) -> None:
    asked, body = asked_for(GenerationRequest(reading, 5))
    assert asked == path
    assert {
        key: value for key, value in body.items() if key in {"prompt", "raw", "suffix", "messages"}
    } == fields


def test_lengths_and_schemas_are_asked_for_as_ollama_wants_them() -> None:
    assert asked_for(GenerationRequest(Plain("x"), None))[1]["options"]["num_predict"] == -1
    schema = '{"type": "object"}'
    assert asked_for(GenerationRequest(Plain("x"), 5, json_schema=schema))[1]["format"] == {"type": "object"}
    (end,) = generate(lines({"response": "a"}, DONE), GenerationRequest(Plain("x"), 0))
    assert isinstance(end, Finish)
    assert (end.reason, end.prompt_tokens, end.completion_tokens) == ("length", 4, 0)


@pytest.mark.parametrize(
    "request_",
    [
        GenerationRequest(Plain("x"), 5, grammar="root ::= [0-9]"),
        GenerationRequest(Plain("x"), 5, logprobs=1),
        GenerationRequest(Plain("x"), 5, Sampling(logit_bias=((1, 2.0),))),
        GenerationRequest(Plain("x"), 5, Sampling(ignore_eos=True)),
        GenerationRequest(Plain((1, 2)), 5),
    ],
)
def test_what_ollama_cannot_do_is_refused(request_: GenerationRequest) -> None:
    with pytest.raises(InvalidRequestError, match="not possible with the engine ollama"):
        engine(lines()).prepare(request_)


@pytest.mark.parametrize(
    ("answer", "error", "says"),
    [
        (away, UpstreamError, "ollama serve"),
        (lambda _: httpx.Response(404, text="no such model"), UpstreamError, "ollama pull coder:7b"),
        (lambda _: httpx.Response(500, text="out of memory"), UpstreamError, "out of memory"),
        (lambda _: httpx.Response(400, text="does not support insert"), InvalidRequestError, "insert"),
        (lines({"response": "a"}, {"error": "runner died"}), UpstreamError, "runner died"),
        (lines({"response": "a"}), UpstreamError, "early"),
        (lambda _: httpx.Response(200, text="<html>"), UpstreamError, "not JSON"),
    ],
)
def test_failures_say_what_to_do(answer: Answer, error: type[ServingError], says: str) -> None:
    with pytest.raises(error, match=says):
        generate(answer)


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (away, "ollama serve"),
        (lambda _: httpx.Response(404), "ollama pull"),
        (lambda _: httpx.Response(200, text="<html>"), "not Ollama"),
    ],
)
def test_loading_checks_server_and_model(answer: Answer, says: str) -> None:
    with pytest.raises(LoadError, match=says):
        engine(answer).load()
