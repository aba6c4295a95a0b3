"""What requests to llama.cpp's API may contain. What does not appear here is taken and does nothing: no sequence
belongs to a client (`id_slot`), and the order of `samplers` is fixed."""

from typing import Annotated

from pydantic import Field

from codemodel_server.api.fields import MOST_CHOICES, Count, Lenient, SamplingFields
from codemodel_server.api.turns import Turns

_GREATEST = 2**31 - 1
_MOST_FIELDS = 64

Number = Annotated[int, Field(ge=0, le=_GREATEST)]
Pieces = list[Number | str]
"""Tokens and texts, to be read one after the other."""


class GenerationFields(SamplingFields):
    """What /completion and /infill have in common."""

    max_tokens: Count | None = None
    n_probs: Annotated[int, Field(ge=0, le=100)] | None = None
    post_sampling_probs: bool | None = None
    n: Number | None = None
    n_cmpl: Number | None = None
    stream: bool | None = None
    return_tokens: bool | None = None
    response_fields: (
        Annotated[list[Annotated[str, Field(max_length=256)]], Field(max_length=_MOST_FIELDS)] | None
    ) = None


class LlamaCompletion(GenerationFields):
    """The body of POST /completion: one prompt, or a list of them."""

    prompt: str | Pieces | Annotated[list[str | Pieces], Field(max_length=MOST_CHOICES)]


class ExtraFile(Lenient):
    """A part of another file."""

    text: str
    filename: str | None = None


class LlamaInfill(GenerationFields):
    """The body of POST /infill."""

    input_prefix: str
    input_suffix: str
    input_extra: Annotated[list[ExtraFile], Field(max_length=1024)] | None = None
    prompt: str | None = None


class Tokenize(Lenient):
    """The body of POST /tokenize."""

    content: str | Pieces = ""
    add_special: bool | None = None
    parse_special: bool | None = None
    with_pieces: bool | None = None


class Detokenize(Lenient):
    """The body of POST /detokenize."""

    tokens: list[Number] = Field(default_factory=list)


class ApplyTemplate(Lenient):
    """The body of POST /apply-template."""

    messages: Turns
    add_generation_prompt: bool | None = None
