"""GET /health (the process lives) and GET /ready (it takes requests)."""

from typing import Any

from flask import Blueprint, Response, jsonify

from codemodel_server.service import Service, Status


def blueprint(service: Service) -> Blueprint:
    """Both routes; they never wait for the engine."""
    routes = Blueprint("health", __name__)

    @routes.get("/health")
    def health() -> Response:
        return jsonify(status="ok")

    @routes.get("/ready")
    def ready() -> Response:
        status = service.status
        body: dict[str, Any] = {"status": status, "model": service.model, "engine": service.engine.name}
        if service.failure is not None:
            body["reason"] = service.failure
        response = jsonify(body)
        response.status_code = 200 if status is Status.READY else 503
        return response

    return routes
