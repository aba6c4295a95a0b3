"""GET /info: which model answers here."""

from flask import Blueprint, Response, jsonify

from codemodel_server import __version__
from codemodel_server.service import Service


def blueprint(service: Service, replica: str) -> Blueprint:
    """The route."""
    routes = Blueprint("info", __name__)

    @routes.get("/info")
    def info() -> Response:
        return jsonify(
            model=service.model,
            engine=service.engine.name,
            replica=replica,
            context_length=service.engine.context_length,
            version=__version__,
        )

    return routes
