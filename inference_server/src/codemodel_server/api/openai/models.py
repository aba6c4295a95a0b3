"""GET /v1/models: the one model that there is."""

import time

from flask import Blueprint, Response, jsonify

from codemodel_server.api.openai.shapes import Json
from codemodel_server.api.surfaces import Problem, error_body
from codemodel_server.service import Service, Status


def blueprint(service: Service) -> Blueprint:
    """The list and its one member, with and without /v1."""
    routes = Blueprint("openai_models", __name__)
    created = int(time.time())

    @routes.get("/v1/models")
    @routes.get("/models")
    def models() -> Response:
        return jsonify(object="list", data=[_model(service, created)])

    @routes.get("/v1/models/<path:name>")
    @routes.get("/models/<path:name>")
    def model(name: str) -> Response:
        if name == service.model:
            return jsonify(_model(service, created))
        message = f"there is no model of this name here: the only one is {service.model}"
        response = jsonify(error_body("/v1/models", Problem(404, "model_not_found", message, "model")))
        response.status_code = 404
        return response

    return routes


def _model(service: Service, created: int) -> Json:
    known: Json = {"n_ctx": service.engine.context_length}
    if service.status not in (Status.LOADING, Status.FAILED):
        facts = service.engine.facts()
        known |= {
            "n_vocab": facts.vocabulary,
            "n_ctx_train": facts.trained_context,
            "n_embd": facts.embedding,
            "n_params": facts.parameters,
            "size": facts.size_bytes,
        }
    return {
        "id": service.model,
        "object": "model",
        "created": created,
        "owned_by": "codemodel",
        "meta": known,
    }
