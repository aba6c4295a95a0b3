"""The Flask application: routes, CORS, and every error as JSON."""

from http import HTTPStatus

from flask import Flask, Response, request
from flask_cors import CORS
from werkzeug.exceptions import HTTPException

from codemodel_server.api import chat, health, info, live, metrics, web
from codemodel_server.api.errors import http_error, serving_error, unexpected_error
from codemodel_server.errors import ServingError
from codemodel_server.logs import server_log
from codemodel_server.metrics import Metrics
from codemodel_server.service import Service
from codemodel_server.settings import Settings

# A prompt that fills a context of 128 Ki tokens has about half of this.
MAX_BODY_BYTES = 1 << 20


def create_app(service: Service, collected: Metrics, settings: Settings) -> Flask:
    """Builds the application around a service, which may still be loading."""
    app = Flask("codemodel_server", static_folder=None)
    app.logger = server_log()
    app.config["MAX_CONTENT_LENGTH"] = MAX_BODY_BYTES
    app.json.sort_keys = False  # type: ignore[attr-defined]  # the default provider has it
    CORS(app, send_wildcard=True, expose_headers=["Retry-After"])
    app.register_blueprint(chat.blueprint(service, settings.replica))
    app.register_blueprint(health.blueprint(service))
    app.register_blueprint(info.blueprint(service, settings.replica))
    app.register_blueprint(metrics.blueprint(collected))
    app.register_blueprint(live.blueprint(service, collected.recent, settings))
    app.register_blueprint(web.blueprint(settings.frontend))
    app.register_error_handler(ServingError, serving_error)
    app.register_error_handler(HTTPException, http_error)
    app.register_error_handler(HTTPStatus.INTERNAL_SERVER_ERROR, unexpected_error)

    @app.after_request
    def count(response: Response) -> Response:
        # Unknown paths share one label: there is no end of them.
        route = request.url_rule.rule if request.url_rule else "unknown"
        collected.requests.labels(route, str(response.status_code)).inc()
        return response

    return app
