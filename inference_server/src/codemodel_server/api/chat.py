"""POST /chat: text that continues or answers a prompt, whole or as it is generated."""

from collections.abc import Iterator
from typing import Any

from flask import Blueprint, Response, jsonify

from codemodel_server.api.body import read_body
from codemodel_server.api.running import WAITING, Running, event_of, stream, whole
from codemodel_server.api.schemas import ChatRequest
from codemodel_server.engines.events import Finish, Text, Waiting
from codemodel_server.engines.request import (
    Conversation,
    GenerationRequest,
    Infill,
    Instruction,
    Message,
    Priority,
    Reading,
    Sampling,
)
from codemodel_server.errors import InvalidRequestError
from codemodel_server.service import Job, Service

_DEFAULT_MAX_TOKENS = 256


def blueprint(service: Service, replica: str) -> Blueprint:
    """The route, answering with the service's text."""
    routes = Blueprint("chat", __name__)

    @routes.post("/chat")
    def chat() -> Response:
        asked = read_body(ChatRequest)
        request = _generation_request(asked, service.engine.context_length)
        if asked.stream:
            return stream(service, [request], lambda running: _events(running, service, replica))
        (answer,) = whole(service, [request])
        return jsonify({"response": answer.text, **_summary(answer.job, answer.finish, service, replica)})

    return routes


def _generation_request(asked: ChatRequest, context_length: int) -> GenerationRequest:
    if asked.max_tokens is not None and asked.max_tokens > context_length:
        message = f"max_tokens: at most {context_length}, the context length"
        raise InvalidRequestError(message, field="max_tokens")
    reading = _reading(asked)
    return GenerationRequest(
        reading=reading,
        max_tokens=asked.max_tokens or min(_DEFAULT_MAX_TOKENS, context_length),
        sampling=Sampling(
            temperature=asked.temperature, top_p=asked.top_p, top_k=asked.top_k, seed=asked.seed
        ),
        stop=tuple(asked.stop),
        priority=Priority.INFILL if isinstance(reading, Infill) else Priority.CHAT,
        main_field="prompt" if asked.messages is None else "messages",
    )


def _reading(asked: ChatRequest) -> Reading:
    if asked.messages is not None:
        return Conversation(tuple(Message(turn.role, turn.content) for turn in asked.messages))
    prompt = asked.prompt or ""
    return Instruction(prompt) if asked.suffix is None else Infill(prompt, asked.suffix)


def _events(running: Running, service: Service, replica: str) -> Iterator[str]:
    for number, event in running.events:
        match event:
            case Waiting():
                yield WAITING
            case Text(text):
                if text:
                    yield event_of({"token": text})
            case Finish():
                yield event_of({"done": True, **_summary(running.jobs[number], event, service, replica)})


def _summary(job: Job, finish: Finish, service: Service, replica: str) -> dict[str, Any]:
    """What is said about an answer beside its text; times are seconds since the request arrived."""
    latency = job.elapsed()
    first = latency if job.first_text_seconds is None else job.first_text_seconds
    return {
        "model": service.model,
        "engine": service.engine.name,
        "replica": replica,
        "finish_reason": finish.reason,
        "usage": {"prompt_tokens": finish.prompt_tokens, "completion_tokens": finish.completion_tokens},
        "latency_seconds": round(latency, 6),
        "time_to_first_token_seconds": round(first, 6),
    }
