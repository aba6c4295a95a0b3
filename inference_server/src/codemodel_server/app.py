"""The Flask application: routes, CORS, API keys, and every error as JSON."""

from http import HTTPStatus

from flask import Flask, Response, request
from flask_cors import CORS
from werkzeug.exceptions import HTTPException

from codemodel_server.api import chat, fim, health, info, live, metrics, openapi, web
from codemodel_server.api.errors import http_error, serving_error, unexpected_error
from codemodel_server.api.llama_cpp import completion, infill, props, slots, tokens
from codemodel_server.api.openai import chat as openai_chat
from codemodel_server.api.openai import completions, models
from codemodel_server.auth import ApiKeys, key_of
from codemodel_server.errors import ServingError, UnauthorizedError
from codemodel_server.logs import server_log
from codemodel_server.metrics import Metrics
from codemodel_server.service import Service
from codemodel_server.settings import Settings

# What probes, Prometheus and the page itself ask for, which cannot bring a key.
_OPEN = frozenset(("/", "/health", "/ready", "/metrics", "/live"))


def create_app(service: Service, collected: Metrics, settings: Settings) -> Flask:
    """Builds the application around a service, which may still be loading."""
    app = Flask("codemodel_server", static_folder=None)
    app.logger = server_log()
    app.config["MAX_CONTENT_LENGTH"] = settings.max_body_bytes
    app.json.sort_keys = False  # type: ignore[attr-defined]  # the default provider has it
    CORS(app, send_wildcard=True, expose_headers=["Retry-After", "WWW-Authenticate"])
    app.register_blueprint(chat.blueprint(service, settings.replica))
    for surface in (openai_chat, completions, models, completion, infill, tokens, props, slots, fim):
        app.register_blueprint(surface.blueprint(service))
    app.register_blueprint(health.blueprint(service))
    app.register_blueprint(info.blueprint(service, settings.replica))
    app.register_blueprint(metrics.blueprint(collected))
    app.register_blueprint(live.blueprint(service, collected.recent, settings))
    app.register_blueprint(openapi.blueprint())
    app.register_blueprint(web.blueprint(settings.frontend))
    app.register_error_handler(ServingError, serving_error)
    app.register_error_handler(HTTPException, http_error)
    app.register_error_handler(HTTPStatus.INTERNAL_SERVER_ERROR, unexpected_error)
    if settings.api_keys is not None:
        _ask_for_keys(app, ApiKeys(settings.api_keys))

    @app.after_request
    def count(response: Response) -> Response:
        # Unknown paths share one label: there is no end of them.
        route = request.url_rule.rule if request.url_rule else "unknown"
        collected.requests.labels(route, str(response.status_code)).inc()
        return response

    return app


def _ask_for_keys(app: Flask, keys: ApiKeys) -> None:
    @app.before_request
    def let_in() -> None:
        if request.method == "OPTIONS" or (request.method in {"GET", "HEAD"} and request.path in _OPEN):
            return
        key = key_of(request.headers.get("Authorization"), request.headers.get("X-Api-Key"))
        if key is None or not keys.knows(key):
            what = "the API key is not known here" if key else "an API key is needed"
            message = f"{what}: send the header Authorization: Bearer KEY, or X-Api-Key: KEY"
            raise UnauthorizedError(message)


def create_management_app(service: Service, collected: Metrics) -> Flask:
    """The three routes; asking them is not counted as a request."""
    app = Flask("codemodel_server.management", static_folder=None)
    app.register_blueprint(health.blueprint(service))
    app.register_blueprint(metrics.blueprint(collected))
    return app
