"""POST /fim/completions: code between a prompt and a suffix, in Mistral's form, which Continue speaks."""

from collections.abc import Iterator
from typing import Annotated

from flask import Blueprint, Response, jsonify
from pydantic import Field

from codemodel_server.api.body import read_body
from codemodel_server.api.fields import Lenient, Limit, Share, Stop, most_tokens, stops_of
from codemodel_server.api.openai.shapes import Head, usage_of
from codemodel_server.api.running import DONE, WAITING, Running, event_of, stream, whole
from codemodel_server.engines.events import Finish, Text, Waiting
from codemodel_server.engines.request import GenerationRequest, Infill, Priority, Sampling
from codemodel_server.errors import InvalidRequestError
from codemodel_server.service import Service


class FimRequest(Lenient):
    """The body of POST /fim/completions; null means the default."""

    model: str | None = None
    prompt: str
    suffix: str | None = None
    max_tokens: Limit | None = None
    temperature: Annotated[float, Field(ge=0, le=2)] | None = None
    top_p: Share | None = None
    random_seed: Annotated[int, Field(ge=0, lt=2**32 - 1)] | None = None
    stop: Stop | None = None
    stream: bool | None = None


def blueprint(service: Service) -> Blueprint:
    """The route, with and without /v1."""
    routes = Blueprint("fim", __name__)

    @routes.post("/v1/fim/completions")
    @routes.post("/fim/completions")
    def fim() -> Response:
        asked = read_body(FimRequest)
        request = _request(asked)
        if asked.stream:
            head = Head("chat.completion.chunk", "fim", service.model)
            return stream(service, [request], lambda running: _chunks(running, head))
        (answer,) = whole(service, [request])
        choice = {
            "index": 0,
            "message": {"role": "assistant", "content": answer.text},
            "finish_reason": answer.finish.reason,
        }
        head = Head("chat.completion", "fim", service.model)
        return jsonify(head.with_choices([choice], usage=usage_of([answer.finish], 1)))

    return routes


def _request(asked: FimRequest) -> GenerationRequest:
    if not asked.prompt and not asked.suffix:
        raise InvalidRequestError("prompt: must not be empty without a suffix", field="prompt")
    usual = Sampling()
    return GenerationRequest(
        reading=Infill(asked.prompt, asked.suffix or ""),
        max_tokens=most_tokens(asked.max_tokens),
        sampling=Sampling(
            temperature=usual.temperature if asked.temperature is None else asked.temperature,
            top_p=usual.top_p if asked.top_p is None else asked.top_p,
            seed=asked.random_seed,
        ),
        stop=stops_of(asked.stop),
        priority=Priority.INFILL,
    )


def _chunks(running: Running, head: Head) -> Iterator[str]:
    role = {"role": "assistant"}
    for _, event in running.events:
        match event:
            case Waiting():
                yield WAITING
            case Text(text) if text:
                choice = {"index": 0, "delta": {**role, "content": text}, "finish_reason": None}
                yield event_of(head.with_choices([choice]))
                role = {}
            case Finish():
                choice = {"index": 0, "delta": {"content": ""}, "finish_reason": event.reason}
                yield event_of(head.with_choices([choice], usage=usage_of([event], 1)))
                yield DONE
