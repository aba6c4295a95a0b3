"""What the answers of the API server mean: their content, or one of our errors."""

import json
from dataclasses import dataclass
from http import HTTPStatus

from .cluster import Manifest
from .errors import ConflictError, EndingError, ExistsError, OperatorError, RefusedError, TemporaryError

_REFUSED = (
    HTTPStatus.BAD_REQUEST,
    HTTPStatus.FORBIDDEN,
    HTTPStatus.METHOD_NOT_ALLOWED,
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    HTTPStatus.UNPROCESSABLE_ENTITY,
)


@dataclass(frozen=True)
class Answer:
    """What the API server has answered."""

    status: int
    """Of HTTP."""

    reason: str
    """The words beside the status."""

    body: bytes


class NotFoundError(TemporaryError):
    """The object, its namespace or its kind does not exist (yet)."""


def content(answer: Answer, what: str) -> bytes:
    """Return what was asked for.

    Args:
        answer: of the API server, or of something in its place.
        what: the request, for messages.

    Raises:
        OperatorError: it was not given.
    """
    if answer.status >= HTTPStatus.BAD_REQUEST:
        raise _translated(answer, what)
    return answer.body


def manifest_of(text: bytes, what: str) -> Manifest:
    """Return the object, or list of objects, that was asked for.

    Raises:
        TemporaryError: it is none.
    """
    try:
        result = json.loads(text)
    except ValueError as error:
        raise TemporaryError(f"{what}: the answer is no JSON: {error}") from error
    if not isinstance(result, dict):
        raise TemporaryError(f"{what}: the answer is no object")
    return result


def _translated(answer: Answer, what: str) -> OperatorError:
    body = _status(answer)
    message = str(body.get("message") or answer.reason or answer.status)
    if _namespace_ends(body):
        return EndingError(message)
    if answer.status == HTTPStatus.NOT_FOUND:
        return NotFoundError(f"{what}: {message}")
    if answer.status in _REFUSED:
        return RefusedError(message)
    if body.get("reason") == "AlreadyExists":
        return ExistsError(f"{what}: {message}")
    if answer.status == HTTPStatus.CONFLICT:
        return ConflictError(f"{what}: {message}")
    return TemporaryError(f"{what}: {answer.status} {message}")


def _status(answer: Answer) -> Manifest:
    """Return the Status object that the API server answers errors with, empty when something else answered."""
    try:
        return manifest_of(answer.body, "status")
    except TemporaryError:
        return {}


def _namespace_ends(body: Manifest) -> bool:
    causes = (body.get("details") or {}).get("causes") or []
    return any(cause.get("reason") == "NamespaceTerminating" for cause in causes)
