"""POST /v1/completions: text that continues a prompt, or comes between it and a suffix."""

from collections.abc import Iterator

from flask import Blueprint, Response, jsonify

from codemodel_server.api.body import read_body
from codemodel_server.api.fields import (
    MOST_CHOICES,
    check_tokens,
    most_tokens,
    sampling_of,
    schema_text,
    shape_of,
)
from codemodel_server.api.openai.schemas import CompletionRequest, schema_asked_for
from codemodel_server.api.openai.shapes import Head, Json, completion_logprobs, readable, usage_of
from codemodel_server.api.running import DONE, WAITING, Answer, Running, event_of, stream, whole
from codemodel_server.engines.base import Engine
from codemodel_server.engines.events import Finish, Text, Waiting
from codemodel_server.engines.request import GenerationRequest, Infill, Plain, Priority, Reading
from codemodel_server.errors import InvalidRequestError
from codemodel_server.service import Service

# OpenAI's own.
_DEFAULT_MAX_TOKENS = 16
Prompt = str | list[int]


def blueprint(service: Service) -> Blueprint:
    """The route, with and without /v1."""
    routes = Blueprint("openai_completions", __name__)

    @routes.post("/v1/completions")
    @routes.post("/completions")
    def completions() -> Response:
        asked = read_body(CompletionRequest)
        service.check_ready()
        requests = _requests(asked, service.engine)
        echoes = [echo for echo in _echoes(asked, service.engine) for _ in range(asked.n or 1)]
        head = Head("text_completion", "cmpl", service.model)
        if asked.stream:
            return stream(service, requests, lambda running: _chunks(running, asked, echoes, head))
        answers = whole(service, requests)
        choices = [
            _choice(number, answer, asked, echo)
            for number, (answer, echo) in enumerate(zip(answers, echoes, strict=True))
        ]
        usage = usage_of([answer.finish for answer in answers], asked.n or 1)
        return jsonify(head.with_choices(choices, usage=usage))

    return routes


def _prompts(asked: CompletionRequest) -> list[Prompt]:
    prompt = asked.prompt
    if isinstance(prompt, str):
        return [prompt]
    if all(isinstance(one, int) for one in prompt):
        return [[one for one in prompt if isinstance(one, int)]]
    return [one for one in prompt if not isinstance(one, int)]


def _requests(asked: CompletionRequest, engine: Engine) -> list[GenerationRequest]:
    _refuse(asked)
    shape = shape_of(asked)
    schema = schema_asked_for(asked.response_format)
    if schema is not None:
        shape["json_schema"] = schema_text(schema, "response_format")
    readings = [_reading(prompt, asked.suffix, engine) for prompt in _prompts(asked)]
    return [
        GenerationRequest(
            reading=reading,
            max_tokens=most_tokens(asked.n_predict, asked.max_tokens, _DEFAULT_MAX_TOKENS),
            sampling=sampling_of(asked, engine, choice),
            logprobs=asked.logprobs,
            priority=Priority.INFILL if isinstance(reading, Infill) else Priority.CHAT,
            **shape,
        )
        for reading in readings
        for choice in range(asked.n or 1)
    ]


def _refuse(asked: CompletionRequest) -> None:
    n = asked.n or 1
    if asked.best_of not in (None, n):
        raise InvalidRequestError("best_of: only the number of `n` is possible", field="best_of")
    if len(_prompts(asked)) * n > MOST_CHOICES:
        message = f"n: at most {MOST_CHOICES} answers to all prompts together are possible"
        raise InvalidRequestError(message, field="n")
    if asked.echo and asked.logprobs is not None:
        message = "echo: the probabilities of the prompt are not known: leave `echo` or `logprobs` out"
        raise InvalidRequestError(message, field="echo")
    if asked.response_format is not None and (asked.grammar or asked.json_schema is not None):
        message = "send either `response_format`, `grammar` or `json_schema`"
        raise InvalidRequestError(message, field="response_format")


def _reading(prompt: Prompt, suffix: str | None, engine: Engine) -> Reading:
    if suffix:
        if not isinstance(prompt, str):
            raise InvalidRequestError("suffix: the prompt has to be text then, not tokens", field="suffix")
        return Infill(prompt, suffix)
    if not prompt:
        raise InvalidRequestError("prompt: must not be empty", field="prompt")
    if isinstance(prompt, str):
        return Plain(prompt)
    check_tokens(prompt, engine, "prompt")
    return Plain(tuple(prompt))


def _echoes(asked: CompletionRequest, engine: Engine) -> list[str]:
    """What stands in front of each answer."""
    prompts = _prompts(asked)
    if not asked.echo:
        return [""] * len(prompts)
    return [prompt if isinstance(prompt, str) else engine.detokenize(prompt) for prompt in prompts]


def _choice(number: int, answer: Answer, asked: CompletionRequest, echo: str) -> Json:
    odds = None if asked.logprobs is None else completion_logprobs(answer.tokens, asked.logprobs)
    return {
        "index": number,
        "text": echo + answer.text,
        "logprobs": odds,
        "finish_reason": answer.finish.reason,
    }


def _chunks(running: Running, asked: CompletionRequest, echoes: list[str], head: Head) -> Iterator[str]:
    more = {"usage": None} if asked.with_usage else {}
    offsets = [0] * len(echoes)
    ends: dict[int, Finish] = {}

    def chunk(number: int, text: str, odds: Json | None = None, reason: str | None = None) -> str:
        choice = {"index": number, "text": text, "logprobs": odds, "finish_reason": reason}
        return event_of(head.with_choices([choice], **more))

    for number, echo in enumerate(echoes):
        if echo:
            yield chunk(number, echo)
    for number, event in running.events:
        match event:
            case Waiting():
                yield WAITING
            case Text(text, tokens):
                odds = None
                if asked.logprobs is not None:
                    odds = completion_logprobs(tokens, asked.logprobs, offsets[number])
                    offsets[number] += sum(len(readable(token.piece)) for token in tokens)
                if text or odds:
                    yield chunk(number, text, odds)
            case Finish():
                ends[number] = event
                yield chunk(number, "", None, event.reason)
    if len(ends) == len(running.jobs):
        if asked.with_usage:
            usage = usage_of([ends[number] for number in sorted(ends)], asked.n or 1)
            yield event_of(head.with_choices([], usage=usage))
        yield DONE
