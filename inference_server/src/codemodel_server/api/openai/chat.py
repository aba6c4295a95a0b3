"""POST /v1/chat/completions: the next turn of a conversation."""

from collections.abc import Iterator

from flask import Blueprint, Response, jsonify

from codemodel_server.api.body import read_body
from codemodel_server.api.fields import most_tokens, sampling_of, schema_text, shape_of
from codemodel_server.api.openai.schemas import (
    ChatCompletionRequest,
    refuse_what_is_not_text,
    schema_asked_for,
)
from codemodel_server.api.openai.shapes import Head, Json, chat_logprobs, usage_of
from codemodel_server.api.running import DONE, WAITING, Answer, Running, event_of, stream, whole
from codemodel_server.api.turns import messages_of
from codemodel_server.engines.base import Engine
from codemodel_server.engines.events import Finish, Text, Waiting
from codemodel_server.engines.request import Conversation, GenerationRequest
from codemodel_server.errors import InvalidRequestError
from codemodel_server.service import Service


def blueprint(service: Service) -> Blueprint:
    """The route, with and without /v1."""
    routes = Blueprint("openai_chat", __name__)

    @routes.post("/v1/chat/completions")
    @routes.post("/chat/completions")
    def chat_completions() -> Response:
        asked = read_body(ChatCompletionRequest)
        service.check_ready()
        requests = _requests(asked, service.engine)
        if asked.stream:
            head = Head("chat.completion.chunk", "chatcmpl", service.model)
            return stream(service, requests, lambda running: _chunks(running, asked, head))
        answers = whole(service, requests)
        choices = [_choice(number, answer, asked) for number, answer in enumerate(answers)]
        usage = usage_of([answer.finish for answer in answers], len(answers))
        head = Head("chat.completion", "chatcmpl", service.model)
        return jsonify(head.with_choices(choices, usage=usage))

    return routes


def _requests(asked: ChatCompletionRequest, engine: Engine) -> list[GenerationRequest]:
    refuse_what_is_not_text(asked)
    turns = messages_of(asked.messages)
    shape = shape_of(asked)
    schema = schema_asked_for(asked.response_format)
    if schema is not None:
        if shape["grammar"] or shape["json_schema"]:
            message = "send either `response_format`, `grammar` or `json_schema`"
            raise InvalidRequestError(message, field="response_format")
        shape["json_schema"] = schema_text(schema, "response_format")
    return [
        GenerationRequest(
            reading=Conversation(turns),
            max_tokens=most_tokens(asked.n_predict, asked.max_completion_tokens, asked.max_tokens),
            sampling=sampling_of(asked, engine, choice),
            logprobs=(asked.top_logprobs or 0) if asked.logprobs else None,
            main_field="messages",
            **shape,
        )
        for choice in range(asked.n or 1)
    ]


def _choice(number: int, answer: Answer, asked: ChatCompletionRequest) -> Json:
    odds = chat_logprobs(answer.tokens, asked.top_logprobs or 0) if asked.logprobs else None
    return {
        "index": number,
        "message": {"role": "assistant", "content": answer.text, "refusal": None},
        "logprobs": odds,
        "finish_reason": answer.finish.reason,
    }


def _chunks(running: Running, asked: ChatCompletionRequest, head: Head) -> Iterator[str]:
    more = {"usage": None} if asked.with_usage else {}
    begun: set[int] = set()
    ends: dict[int, Finish] = {}

    def chunk(number: int, delta: Json, odds: Json | None = None, reason: str | None = None) -> str:
        choice = {"index": number, "delta": delta, "logprobs": odds, "finish_reason": reason}
        return event_of(head.with_choices([choice], **more))

    for number, event in running.events:
        if isinstance(event, Waiting):
            yield WAITING
            continue
        if number not in begun:
            begun.add(number)
            yield chunk(number, {"role": "assistant", "content": ""})
        match event:
            case Text():
                odds = chat_logprobs(event.tokens, asked.top_logprobs or 0) if asked.logprobs else None
                if event.text or (odds and event.tokens):
                    yield chunk(number, {"content": event.text}, odds)
            case Finish():
                ends[number] = event
                yield chunk(number, {}, None, event.reason)
    if len(ends) == len(running.jobs):
        if asked.with_usage:
            finishes = [ends[number] for number in sorted(ends)]
            yield event_of(head.with_choices([], usage=usage_of(finishes, len(finishes))))
        yield DONE
