"""What requests to llama.cpp's API may contain. What does not appear here is taken and does nothing: no sequence
belongs to a client (`id_slot`), and the order of `samplers` is fixed."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from codemodel_server.api.fields import MOST_CHOICES, SamplingFields
from codemodel_server.engines.request import Message
from codemodel_server.errors import InvalidRequestError

_GREATEST = 2**31 - 1
_MOST_TURNS = 1024
_MOST_FIELDS = 64
_ROLES = {"system": "system", "developer": "system", "user": "user", "assistant": "assistant"}

Count = Annotated[int, Field(ge=-1, le=_GREATEST)]
Number = Annotated[int, Field(ge=0, le=_GREATEST)]
Pieces = list[Number | str]
"""Tokens and texts, to be read one after the other."""


class _Lenient(BaseModel):
    model_config = ConfigDict(extra="ignore", strict=True, allow_inf_nan=False)


class GenerationFields(SamplingFields):
    """What /completion and /infill have in common."""

    n_predict: Count | None = None
    max_tokens: Count | None = None
    n_probs: Annotated[int, Field(ge=0, le=100)] | None = None
    stream: bool | None = None
    return_tokens: bool | None = None
    response_fields: (
        Annotated[list[Annotated[str, Field(max_length=256)]], Field(max_length=_MOST_FIELDS)] | None
    ) = None


class LlamaCompletion(GenerationFields):
    """The body of POST /completion: one prompt, or a list of them."""

    prompt: str | Pieces | Annotated[list[str | Pieces], Field(max_length=MOST_CHOICES)]


class ExtraFile(_Lenient):
    """A part of another file."""

    text: str
    filename: str | None = None


class LlamaInfill(GenerationFields):
    """The body of POST /infill."""

    input_prefix: str
    input_suffix: str
    input_extra: Annotated[list[ExtraFile], Field(max_length=1024)] | None = None
    prompt: str | None = None


class Tokenize(_Lenient):
    """The body of POST /tokenize."""

    content: str | Pieces = ""
    add_special: bool | None = None
    parse_special: bool | None = None
    with_pieces: bool | None = None


class Detokenize(_Lenient):
    """The body of POST /detokenize."""

    tokens: list[Number] = []


class TemplateTurn(_Lenient):
    """One turn of a conversation."""

    role: str
    content: str

    def message(self) -> Message:
        """The turn as engines know it.

        Raises:
            InvalidRequestError: there is no such role.
        """
        role = _ROLES.get(self.role)
        if role is None:
            message = f"messages: roles are {', '.join(_ROLES)}"
            raise InvalidRequestError(message, field="messages")
        return Message(role, self.content)  # type: ignore[arg-type]  # one of _ROLES


class ApplyTemplate(_Lenient):
    """The body of POST /apply-template."""

    messages: Annotated[list[TemplateTurn], Field(min_length=1, max_length=_MOST_TURNS)]
