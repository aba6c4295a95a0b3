"""GET /openapi.json: what there is to ask, made from the models that check the requests."""

from dataclasses import dataclass
from typing import Any, Literal

from flask import Blueprint, Response, jsonify
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from codemodel_server import __version__
from codemodel_server.api import documented as answers
from codemodel_server.api.fim import FimRequest
from codemodel_server.api.llama_cpp.schemas import (
    ApplyTemplate,
    Detokenize,
    LlamaCompletion,
    LlamaInfill,
    Tokenize,
)
from codemodel_server.api.openai.schemas import ChatCompletionRequest, CompletionRequest
from codemodel_server.api.schemas import ChatRequest

_JSON = "application/json"
_REFERENCE = "#/components/schemas/{model}"
_SECURITY: list[dict[str, list[str]]] = [{}, {"bearer": []}, {"header": []}]
_BODY_ERRORS = {
    "400": "The request cannot be served as it is.",
    "408": "The rest of the body did not come.",
    "413": "The body is too large.",
    "415": "The body is not JSON.",
    "429": "Too many requests wait; Retry-After says when to come again.",
    "499": "The client left.",
    "502": "A server behind this one is away.",
    "504": "The request took too long.",
}
_ERRORS = {
    "401": "The server asks for an API key.",
    "405": "Another method is needed.",
    "500": "The engine or the server failed.",
    "503": "The server does not take requests now.",
}


@dataclass(frozen=True, slots=True)
class Operation:
    """What is said of a route.

    Attributes:
        summary: what it does.
        answer: what its answers look like, or their type where they are no JSON.
        body: what its requests contain; None for a GET.
        error: what its errors look like.
        streams: whether its answers may be server-sent events.
    """

    summary: str
    answer: type[BaseModel] | Literal["text/html", "text/plain", "application/json"]
    body: type[BaseModel] | None = None
    error: type[BaseModel] = answers.OwnError
    streams: bool = False


def _openai(summary: str, answer: type[BaseModel], body: type[BaseModel] | None = None) -> Operation:
    return Operation(summary, answer, body, answers.OpenAiError, streams=body is not None)


def _llama_cpp(
    summary: str, answer: type[BaseModel], body: type[BaseModel] | None = None, *, streams: bool = False
) -> Operation:
    return Operation(summary, answer, body, answers.LlamaCppError, streams=streams)


_CHAT = _openai("The next turn of a conversation.", answers.ChatCompletion, ChatCompletionRequest)
_COMPLETION = _openai("Continues a text, or fills in.", answers.Completion, CompletionRequest)
_FIM = _openai("Code between prompt and suffix.", answers.ChatCompletion, FimRequest)
_MODELS = _openai("The models that are served.", answers.ModelList)
_MODEL = _openai("One model.", answers.Model)

OPERATIONS: dict[str, Operation] = {
    "/": Operation("The page.", "text/html"),
    "/chat": Operation("Continues or answers a prompt.", answers.ChatAnswer, ChatRequest, streams=True),
    "/health": Operation("The process lives.", answers.Health),
    "/ready": Operation("Requests are taken.", answers.Readiness),
    "/info": Operation("Which model answers.", answers.Info),
    "/live": Operation("What the replicas do now.", answers.Live),
    "/metrics": Operation("Metrics for Prometheus.", "text/plain"),
    "/openapi.json": Operation("This document.", "application/json"),
    "/v1/chat/completions": _CHAT,
    "/chat/completions": _CHAT,
    "/v1/completions": _COMPLETION,
    "/completions": _COMPLETION,
    "/v1/models": _MODELS,
    "/models": _MODELS,
    "/v1/models/{name}": _MODEL,
    "/models/{name}": _MODEL,
    "/v1/fim/completions": _FIM,
    "/fim/completions": _FIM,
    "/completion": _llama_cpp("Continues a text.", answers.LlamaAnswers, LlamaCompletion, streams=True),
    "/infill": _llama_cpp("Code around the cursor.", answers.LlamaAnswers, LlamaInfill, streams=True),
    "/tokenize": _llama_cpp("The tokens of a text.", answers.TokenList, Tokenize),
    "/detokenize": _llama_cpp("The text of tokens.", answers.Content, Detokenize),
    "/apply-template": _llama_cpp("What a conversation becomes.", answers.Prompt, ApplyTemplate),
    "/props": _llama_cpp("What editors want to know.", answers.Props),
    "/slots": _llama_cpp("What is generated now.", answers.Slots),
}
"""By path, as OpenAPI writes it."""


def blueprint() -> Blueprint:
    """The route."""
    routes = Blueprint("openapi", __name__)

    @routes.get("/openapi.json")
    def openapi() -> Response:
        return jsonify(document())

    return routes


def document() -> dict[str, Any]:
    """The OpenAPI 3.1 document."""
    operations = OPERATIONS.values()
    bodies = {operation.body for operation in operations if operation.body}
    answered = {operation.answer for operation in operations if not isinstance(operation.answer, str)}
    models = sorted(
        bodies | answered | {operation.error for operation in operations}, key=lambda m: m.__name__
    )
    _, schemas = models_json_schema([(model, "validation") for model in models], ref_template=_REFERENCE)
    return {
        "openapi": "3.1.0",
        "info": {"title": "codemodel-server", "version": __version__},
        "paths": {
            path: {"post" if operation.body else "get": _described(path, operation)}
            for path, operation in OPERATIONS.items()
        },
        "components": {
            "schemas": schemas["$defs"],
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer"},
                "header": {"type": "apiKey", "in": "header", "name": "X-Api-Key"},
            },
        },
        # With the first one, a server that was given no keys.
        "security": _SECURITY,
    }


def _described(path: str, operation: Operation) -> dict[str, Any]:
    errors = {**_ERRORS, **(_BODY_ERRORS if operation.body else {})}
    if path == "/" or "{name}" in path:
        errors["404"] = "There is nothing of this name."
    responses: dict[str, Any] = {"200": {"description": "The answer.", "content": _content(operation)}}
    for status, text in sorted(errors.items()):
        known = operation.answer if (path, status) == ("/ready", "503") else operation.error
        responses[status] = {"description": text, "content": {_JSON: _schema(known)}}
    described: dict[str, Any] = {"summary": operation.summary, "responses": responses}
    if "{name}" in path:
        name = {"in": "path", "name": "name", "required": True, "schema": {"type": "string"}}
        described["parameters"] = [name]
    if operation.body:
        described["requestBody"] = {"required": True, "content": {_JSON: _schema(operation.body)}}
    return described


def _content(operation: Operation) -> dict[str, Any]:
    if isinstance(operation.answer, str):
        return {operation.answer: {}}
    content: dict[str, Any] = {_JSON: _schema(operation.answer)}
    if operation.streams:
        content["text/event-stream"] = {}
    return content


def _schema(model: type[BaseModel] | str) -> dict[str, Any]:
    return {"schema": {"$ref": _REFERENCE.format(model=model if isinstance(model, str) else model.__name__)}}
