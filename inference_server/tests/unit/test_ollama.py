"""The Ollama engine against a server that speaks as Ollama does."""

import json
from collections.abc import Callable

import httpx
import pytest

from codemodel_server.engines.base import Event, Finish, GenerationRequest, Message, Text
from codemodel_server.engines.ollama import OllamaEngine
from codemodel_server.errors import LoadError, UpstreamError

REQUEST = GenerationRequest("x", max_tokens=5, seed=3, stop=("\n\n",))
Answer = Callable[[httpx.Request], httpx.Response]


def engine(answer: Answer) -> OllamaEngine:
    return OllamaEngine("http://ollama", "coder:7b", 512, 1, httpx.MockTransport(answer))


def generate(answer: Answer) -> list[Event]:
    return list(engine(answer).prepare(REQUEST).run(lambda: False))


def lines(*parts: dict[str, object]) -> Answer:
    return lambda _request: httpx.Response(200, text="".join(json.dumps(part) + "\n" for part in parts))


def away(request: httpx.Request) -> httpx.Response:
    raise httpx.ConnectError("refused", request=request)


def test_text_and_counts_are_passed_on() -> None:
    asked: list[dict[str, object]] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(json.loads(request.content))
        done = {
            "response": "",
            "done": True,
            "done_reason": "length",
            "prompt_eval_count": 4,
            "eval_count": 2,
        }
        return lines({"response": "a"}, {"response": "b"}, done)(request)

    assert generate(answer) == [Text("a"), Text("b"), Finish("length", 4, 2)]
    assert asked[0]["model"] == "coder:7b"
    assert asked[0]["options"] == {
        "num_ctx": 512, "num_predict": 5, "temperature": 0.2, "top_p": 0.95, "top_k": 40, "stop": ["\n\n"], "seed": 3,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (away, "ollama serve"),
        (lambda _: httpx.Response(404, text="no such model"), "ollama pull coder:7b"),
        (lambda _: httpx.Response(500, text="out of memory"), "out of memory"),
        (lines({"response": "a"}, {"error": "runner died"}), "runner died"),
        (lines({"response": "a"}), "early"),
        (lambda _: httpx.Response(200, text="<html>"), "not JSON"),
    ],
)
def test_failures_say_what_to_do(answer: Answer, says: str) -> None:
    with pytest.raises(UpstreamError, match=says):
        generate(answer)


@pytest.mark.parametrize(
    ("answer", "says"), [(away, "ollama serve"), (lambda _: httpx.Response(404), "ollama pull")]
)
def test_loading_checks_server_and_model(answer: Answer, says: str) -> None:
    with pytest.raises(LoadError, match=says):
        engine(answer).load()


def test_a_suffix_and_a_conversation_are_asked_for_as_ollama_wants_them() -> None:
    asked: list[tuple[str, dict[str, object]]] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append((request.url.path, json.loads(request.content)))
        return lines(
            {"message": {"role": "assistant", "content": "a"}}, {"message": {"content": ""}, "done": True}
        )(request)

    served = engine(answer)
    messages = (Message("system", "s"), Message("user", "u"))
    events = list(served.prepare(GenerationRequest("", max_tokens=5, messages=messages)).run(lambda: False))
    assert events[0] == Text("a")
    list(served.prepare(GenerationRequest("p", max_tokens=5, suffix="s")).run(lambda: False))
    (chat, conversation), (generate, hole) = asked
    assert (chat, generate) == ("/api/chat", "/api/generate")
    assert conversation["messages"] == [{"role": "system", "content": "s"}, {"role": "user", "content": "u"}]
    assert (hole["prompt"], hole["suffix"]) == ("p", "s")
