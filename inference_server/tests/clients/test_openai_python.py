"""openai-python, as its users call it."""

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import openai
import pytest

from inference_server.tests.clients.conftest import CONTEXT, KEY
from inference_server.tests.support import ServerProcess, StartServer

ASKED: list[Any] = [
    {"role": "system", "content": "Be brief."},
    {"role": "user", "content": [{"type": "text", "text": "def add(a, b):"}]},
]


def connect(server: ServerProcess, key: str = KEY, prefix: str = "/v1") -> openai.OpenAI:
    return openai.OpenAI(base_url=f"{server.client.base_url}{prefix}", api_key=key, max_retries=0, timeout=30)


@pytest.fixture
def client(server: ServerProcess) -> Iterator[openai.OpenAI]:
    with connect(server) as client:
        yield client


def test_a_conversation(client: openai.OpenAI) -> None:
    answer = client.chat.completions.create(
        model="gpt-4o", messages=ASKED, max_completion_tokens=8, temperature=0, seed=7, user="me", n=2
    )
    assert [choice.index for choice in answer.choices] == [0, 1]
    assert answer.choices[0].message.role == "assistant"
    assert answer.choices[0].message.content is not None
    assert answer.model == "coder"
    assert answer.usage is not None
    assert answer.usage.completion_tokens <= 16
    assert answer.usage.total_tokens == answer.usage.prompt_tokens + answer.usage.completion_tokens


def test_a_stream_is_the_whole_answer_and_ends_with_usage(client: openai.OpenAI) -> None:
    options: dict[str, Any] = {"model": "coder", "messages": ASKED, "max_tokens": 12, "temperature": 0}
    whole = client.chat.completions.create(**options, stop=["\n\n\n"])
    stream = client.chat.completions.create(
        **options, stop="\n\n\n", stream=True, stream_options={"include_usage": True}
    )
    *chunks, last = stream
    assert chunks[0].choices[0].delta.role == "assistant"
    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks)
    assert text == whole.choices[0].message.content
    assert chunks[-1].choices[0].finish_reason == whole.choices[0].finish_reason
    assert last.choices == []
    assert last.usage is not None
    assert whole.usage is not None
    assert last.usage.total_tokens == whole.usage.total_tokens


def test_the_asynchronous_client(server: ServerProcess) -> None:
    async def ask() -> tuple[str, str]:
        url = f"{server.client.base_url}/v1"
        async with openai.AsyncOpenAI(base_url=url, api_key=KEY, max_retries=0) as client:
            options: dict[str, Any] = {"model": "coder", "messages": ASKED, "max_tokens": 8, "temperature": 0}
            whole, stream = await asyncio.gather(
                client.chat.completions.create(**options),
                client.chat.completions.create(**options, stream=True),
            )
            pieces = [chunk.choices[0].delta.content or "" async for chunk in stream]
            return whole.choices[0].message.content or "", "".join(pieces)

    whole, streamed = asyncio.run(ask())
    assert whole == streamed


def test_json_comes_out_as_json(client: openai.OpenAI) -> None:
    schema = {"type": "object", "properties": {}, "additionalProperties": False}
    for form in (
        {"type": "json_schema", "json_schema": {"name": "nothing", "strict": True, "schema": schema}},
        {"type": "text"},
    ):
        answer = client.chat.completions.create(
            model="coder", messages=ASKED, max_tokens=64, temperature=0, response_format=form
        )  # type: ignore[call-overload]  # a variable is no TypedDict
        if form["type"] == "json_schema":
            assert json.loads(answer.choices[0].message.content) == {}


def test_probabilities(client: openai.OpenAI) -> None:
    chat = client.chat.completions.create(
        model="coder", messages=ASKED, max_tokens=4, logprobs=True, top_logprobs=3
    )
    assert chat.choices[0].logprobs is not None
    for token in chat.choices[0].logprobs.content or ():
        assert token.logprob <= 0
        assert len(token.top_logprobs) == 3
    text = client.completions.create(model="coder", prompt="x = 1\ny", max_tokens=4, logprobs=2)
    odds = text.choices[0].logprobs
    assert odds is not None
    assert len(odds.tokens or ()) == len(odds.token_logprobs or ()) == len(odds.text_offset or ())


def test_completions_of_texts_and_tokens_with_echo(client: openai.OpenAI) -> None:
    many = client.completions.create(model="coder", prompt=["x = 1", "y = 2"], n=2, max_tokens=4, echo=True)
    assert [choice.index for choice in many.choices] == [0, 1, 2, 3]
    assert many.choices[0].text.startswith("x = 1")
    assert many.choices[2].text.startswith("y = 2")
    tokens = client.completions.create(model="coder", prompt=[[65, 66], [67]], max_tokens=2)
    assert len(tokens.choices) == 2
    stream = client.completions.create(
        model="coder", prompt="x = 1", max_tokens=4, stream=True, stream_options={"include_usage": True}
    )
    *_, last = stream
    assert last.usage is not None


def test_a_suffix_fills_in(client: openai.OpenAI) -> None:
    answer = client.completions.create(
        model="coder", prompt="def add(a, b):\n", suffix="\nprint(add(1, 2))", max_tokens=8
    )
    assert answer.usage is not None
    assert answer.usage.prompt_tokens > 5
    assert client.completions.create(model="coder", prompt="", suffix="x", max_tokens=2).choices


def test_models(client: openai.OpenAI) -> None:
    assert [model.id for model in client.models.list()] == ["coder"]
    assert client.models.retrieve("coder").id == "coder"
    with pytest.raises(openai.NotFoundError) as refused:
        client.models.retrieve("other/model")
    assert refused.value.code == "model_not_found"


def test_without_v1(server: ServerProcess) -> None:
    with connect(server, prefix="") as client:
        assert client.chat.completions.create(model="x", messages=ASKED, max_tokens=2).choices
        assert client.completions.create(model="x", prompt="x", max_tokens=2).choices
        assert client.models.list().data


def test_a_wrong_key_is_an_authentication_error(server: ServerProcess) -> None:
    with connect(server, "sk-wrong") as client, pytest.raises(openai.AuthenticationError) as refused:
        client.models.list()
    assert refused.value.code == "invalid_api_key"
    assert refused.value.response.headers["WWW-Authenticate"] == "Bearer"


TOOL = {"type": "function", "function": {"name": "f", "parameters": {}}}


@pytest.mark.parametrize(
    ("body", "field", "code"),
    [
        ({"tools": [TOOL]}, "tools", "invalid_request"),
        ({"tools": [], "tool_choice": "required"}, "tool_choice", "invalid_request"),
        ({"functions": [{"name": "f"}]}, "functions", "invalid_request"),
        ({"n": 17}, "n", "invalid_request"),
        ({"max_tokens": 0}, "max_tokens", "invalid_request"),
        ({"max_tokens": 10**30}, "max_tokens", "invalid_request"),
        ({"temperature": 3}, "temperature", "invalid_request"),
        ({"top_logprobs": 2}, "top_logprobs", "invalid_request"),
        ({"logit_bias": {"4000000000": 1}}, "logit_bias", "invalid_request"),
        ({"response_format": {"type": "json_schema"}}, "response_format", "invalid_request"),
        ({"messages": []}, "messages", "invalid_request"),
        ({"messages": [{"role": "tool", "content": "x"}]}, "messages", "invalid_request"),
        (
            {"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "x"}}]}]},
            "messages",
            "invalid_request",
        ),
        (
            {"messages": [{"role": "user", "content": "x y " * CONTEXT}]},
            "messages",
            "context_length_exceeded",
        ),
    ],
    ids=str,
)
def test_what_is_not_possible_is_a_bad_request_that_says_why(
    client: openai.OpenAI, body: dict[str, Any], field: str, code: str
) -> None:
    with pytest.raises(openai.BadRequestError) as refused:
        client.chat.completions.create(**{"model": "coder", "messages": ASKED, **body})
    assert (refused.value.param, refused.value.code) == (field, code)
    assert refused.value.type == "invalid_request_error"


def test_no_tools_are_no_problem(client: openai.OpenAI) -> None:
    bodies: list[dict[str, Any]] = [
        {"tools": []},
        {"tool_choice": "none"},
        {"tools": [], "tool_choice": "auto"},
    ]
    for body in bodies:
        options: dict[str, Any] = {"model": "coder", "messages": ASKED, "max_tokens": 2, **body}
        assert client.chat.completions.create(**options).choices


def test_too_many_requests_are_a_rate_limit_error(start_server: StartServer) -> None:
    server = start_server(
        "--engine", "mock", "--parallel", "1", "--queue-limit", "0", "--mock-tokens-per-second", "20"
    )
    server.wait_ready()
    with connect(server) as client:
        options: dict[str, Any] = {"model": "x", "messages": ASKED}
        with client.chat.completions.create(**options, stream=True, max_tokens=4000) as running:
            next(iter(running))
            with pytest.raises(openai.RateLimitError) as refused:
                client.chat.completions.create(**options)
    assert refused.value.code == "rate_limit_exceeded"
    assert int(refused.value.response.headers["Retry-After"]) >= 1
