"""Reads a request's body, and says what is wrong with it."""

from collections.abc import Sequence
from typing import TypeVar

from flask import request
from gunicorn.http.errors import ParseException  # type: ignore[import-untyped]
from pydantic import BaseModel, ValidationError
from werkzeug.exceptions import (
    ClientDisconnected,
    RequestEntityTooLarge,
    RequestTimeout,
    UnsupportedMediaType,
)

from codemodel_server.errors import InvalidRequestError
from codemodel_server.punctuality import body_has_come

_JSON_ERRORS = {"json_invalid", "json_type"}
# Characters of a name that are repeated in the answer.
_LONGEST_NAME = 64
Body = TypeVar("Body", bound=BaseModel)


def read_body(model: type[Body]) -> Body:
    """The body of the request that is being answered.

    Raises:
        UnsupportedMediaType: its type is not JSON.
        RequestTimeout: the rest of it did not come.
        RequestEntityTooLarge: it is too large.
        InvalidRequestError: it is not what the model describes, or its chunks are malformed.
    """
    if request.mimetype != "application/json":
        raise UnsupportedMediaType("send JSON, with the header Content-Type: application/json")
    try:
        body = request.get_data(cache=False)
    except ClientDisconnected as error:
        # Werkzeug's name for every end before the end, that of the server's patience among them.
        raise RequestTimeout("the rest of the body did not come: send the request again") from error
    except ParseException as error:
        raise InvalidRequestError(f"the body is not what its headers say: {error}") from error
    body_has_come(request.environ)
    if request.content_length is not None and len(body) < request.content_length:
        raise RequestTimeout("the rest of the body did not come in time: send the request again")
    # Of a body without Content-Length, Werkzeug gives what the limit allows and drops the rest.
    if request.max_content_length is not None and len(body) >= request.max_content_length:
        raise RequestEntityTooLarge
    return parse(model, body)


def parse(model: type[Body], body: bytes) -> Body:
    """Reads a body.

    Raises:
        InvalidRequestError: it is not JSON, or a field is missing, unknown or wrong; the first one is named.
    """
    try:
        return model.model_validate_json(body)
    except ValidationError as error:
        raise _explain(model, error) from None


def _explain(model: type[BaseModel], error: ValidationError) -> InvalidRequestError:
    problems = error.errors(include_url=False, include_context=False, include_input=False)
    extra = (problem["loc"] for problem in problems if problem["type"] == "extra_forbidden")
    unknown = sorted(str(place[0]) for place in extra if len(place) == 1)
    if unknown:
        known = ", ".join(model.model_fields)
        name = unknown[0][:_LONGEST_NAME]
        return InvalidRequestError(f"unknown field {name}: known are {known}", field=name)
    first = problems[0]
    if not first["loc"] or first["type"] in _JSON_ERRORS:
        return InvalidRequestError(f"the body is not a JSON object: {first['msg']}")
    field = str(first["loc"][0])
    tried = [problem["loc"] for problem in problems if problem["loc"][:1] == first["loc"][:1]]
    if len({len(location) > 1 and location[1] for location in tried}) > 1 and not _is_list(tried):
        # One problem for each type that would do; none of them is the one to blame.
        kind = f"{field}: the value is of no type, or out of all bounds, that are possible: see GET /openapi.json"
        return InvalidRequestError(kind, field=field)
    return InvalidRequestError(f"{_place(first['loc'])}: {first['msg']}", field=field)


def _is_list(locations: Sequence[Sequence[int | str]]) -> bool:
    """Whether the problems are of a list's members, not of the types that a value may have."""
    return all(isinstance(location[1], int) for location in locations if len(location) > 1)


def _place(location: Sequence[int | str]) -> str:
    """The field and where in it; keys that a client chose are not repeated at length."""
    return ".".join(str(step)[:_LONGEST_NAME] for step in location)
