"""Errors as JSON answers: {"error": {"message", "type", "field"}}."""

from flask import Response, jsonify
from werkzeug.exceptions import HTTPException, InternalServerError
from werkzeug.wrappers import Response as BaseResponse

from codemodel_server.errors import ServingError

_TYPES = {404: "not_found", 405: "method_not_allowed", 413: "body_too_large", 415: "unsupported_media_type"}


def serving_error(error: ServingError) -> Response:
    """The answer to a request that the server refused or failed at."""
    response = jsonify(error.as_json())
    response.status_code = error.status
    if error.retry_after is not None:
        response.headers["Retry-After"] = str(error.retry_after)
    return response


def http_error(error: HTTPException) -> BaseResponse:
    """The answer to a request that matched no route or was not acceptable as HTTP."""
    response = error.get_response()
    status = error.code or 500
    kind = _TYPES.get(status, "invalid_request" if status < 500 else "internal_error")
    response.set_data(jsonify(error={"message": error.description, "type": kind, "field": None}).get_data())
    response.content_type = "application/json"
    return response


def unexpected_error(_error: InternalServerError) -> Response:
    """The answer when the server has a fault; the log has the details."""
    response = jsonify(error={"message": "internal error", "type": "internal_error", "field": None})
    response.status_code = 500
    return response
