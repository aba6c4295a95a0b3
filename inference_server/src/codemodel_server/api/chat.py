"""POST /chat: text that continues or answers a prompt, whole or as it is generated."""

import json
from collections.abc import Iterator
from typing import Any

from flask import Blueprint, Response, jsonify, request
from werkzeug.exceptions import (
    ClientDisconnected,
    RequestEntityTooLarge,
    RequestTimeout,
    UnsupportedMediaType,
)

from codemodel_server.api.errors import log_failure
from codemodel_server.api.schemas import ChatRequest, parse_chat
from codemodel_server.client import departure_of_client
from codemodel_server.engines.base import Abandoned, Finish, GenerationRequest, Message, Text
from codemodel_server.errors import EngineFailedError, InvalidRequestError, ServingError
from codemodel_server.service import Job, Service, Waiting

_DEFAULT_MAX_TOKENS = 256
# nginx's status for a client that left before its answer: nobody reads it, but it is counted and logged.
_CLIENT_LEFT = 499
_STREAM_HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}


def blueprint(service: Service, replica: str) -> Blueprint:
    """The route, answering with the service's text."""
    routes = Blueprint("chat", __name__)

    @routes.post("/chat")
    def chat() -> Response:
        if request.mimetype != "application/json":
            raise UnsupportedMediaType("send JSON, with the header Content-Type: application/json")
        asked = parse_chat(_body())
        abandoned = departure_of_client(request.environ)
        job = service.submit(_generation_request(asked, service.engine.context_length))
        if asked.stream:
            events = _sse(job, abandoned, service, replica)
            response = Response(events, mimetype="text/event-stream", headers=_STREAM_HEADERS)
            # A client that leaves before the first byte never starts the iterator, whose end frees the place.
            response.call_on_close(job.leave)
            return response
        texts: list[str] = []
        for event in job.events(abandoned):
            match event:
                case Text(text):
                    texts.append(text)
                case Finish():
                    return jsonify({"response": "".join(texts), **_summary(job, event, service, replica)})
        return Response(status=_CLIENT_LEFT)

    return routes


def _body() -> bytes:
    try:
        body = request.get_data(cache=False)
    except ClientDisconnected as error:
        # Werkzeug's name for every end before the end, that of the server's patience among them.
        raise RequestTimeout("the rest of the body did not come: send the request again") from error
    # Of a body without Content-Length, Werkzeug gives what the limit allows and drops the rest.
    if request.max_content_length is not None and len(body) >= request.max_content_length:
        raise RequestEntityTooLarge
    return body


def _generation_request(asked: ChatRequest, context_length: int) -> GenerationRequest:
    if asked.max_tokens is not None and asked.max_tokens > context_length:
        message = f"max_tokens: at most {context_length}, the context length"
        raise InvalidRequestError(message, field="max_tokens")
    return GenerationRequest(
        prompt=asked.prompt or "",
        max_tokens=asked.max_tokens or min(_DEFAULT_MAX_TOKENS, context_length),
        temperature=asked.temperature,
        top_p=asked.top_p,
        top_k=asked.top_k,
        seed=asked.seed,
        stop=tuple(asked.stop),
        suffix=asked.suffix,
        messages=tuple(Message(turn.role, turn.content) for turn in asked.messages or ()),
    )


def _sse(job: Job, abandoned: Abandoned, service: Service, replica: str) -> Iterator[str]:
    """The answer as server-sent events. The status is sent already, so errors are events too."""
    try:
        for event in job.events(abandoned):
            match event:
                case Waiting():
                    yield ": waiting\n\n"
                case Text(text):
                    yield _event({"token": text})
                case Finish():
                    yield _event({"done": True, **_summary(job, event, service, replica)})
    except ServingError as error:
        log_failure(error)
        yield _event(error.as_json())
    except Exception:
        yield _event(EngineFailedError("internal error").as_json())
        raise


def _event(data: dict[str, Any]) -> str:
    return f"data: {json.dumps(data, ensure_ascii=False)}\n\n"


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
