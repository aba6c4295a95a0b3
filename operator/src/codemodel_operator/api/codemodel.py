"""A CodeModel object as read from the API server."""

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from .base import ApiModel
from .spec import CodeModelSpec


class Owner(ApiModel):
    """Identity of a CodeModel: all that is needed to own a child and to write a status."""

    name: str
    """Name of the CodeModel and of its children."""

    namespace: str
    """Namespace of the CodeModel and of its children."""

    uid: str
    """Distinguishes it from an earlier CodeModel of the same name."""

    generation: int
    """Counts the changes of the spec."""


def owner_of(body: Mapping[str, Any]) -> Owner:
    """Return the identity in the metadata of an object."""
    return Owner.model_validate(body["metadata"])


def parse_spec(body: Mapping[str, Any]) -> CodeModelSpec | str:
    """Return the spec, or a message for the user that says in which fields it is wrong and why."""
    try:
        return CodeModelSpec.model_validate(body.get("spec") or {})
    except ValidationError as error:
        return "; ".join(_explain(e["loc"], e["msg"]) for e in error.errors(include_url=False))


def _explain(location: tuple[int | str, ...], message: str) -> str:
    path = ".".join(("spec", *(str(part) for part in location)))
    return f"{path}: {message.removeprefix('Value error, ')}"
