"""What requests may contain."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from codemodel_server.errors import InvalidRequestError

_JSON_ERRORS = {"json_invalid", "json_type"}


class ChatRequest(BaseModel):
    """The body of POST /chat; see `GenerationRequest` for what the fields mean."""

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)

    prompt: Annotated[str, Field(min_length=1)]
    max_tokens: Annotated[int, Field(ge=1)] | None = None
    temperature: Annotated[float, Field(ge=0, le=2)] = 0.2
    top_p: Annotated[float, Field(gt=0, le=1)] = 0.95
    top_k: Annotated[int, Field(ge=0, le=1_000_000)] = 40
    # The greatest 32-bit number is llama.cpp's sign for "draw one".
    seed: Annotated[int, Field(ge=0, lt=2**32 - 1)] | None = None
    stop: Annotated[list[Annotated[str, Field(min_length=1, max_length=256)]], Field(max_length=16)] = []
    stream: bool = False


def parse_chat(body: bytes) -> ChatRequest:
    """Reads a request's body.

    Raises:
        InvalidRequestError: it is not JSON, or a field is missing, unknown or wrong; the first one is named.
    """
    try:
        return ChatRequest.model_validate_json(body)
    except ValidationError as error:
        raise _explain(error) from None


def _explain(error: ValidationError) -> InvalidRequestError:
    problems = error.errors(include_url=False, include_context=False, include_input=False)
    unknown = sorted(str(problem["loc"][0]) for problem in problems if problem["type"] == "extra_forbidden")
    if unknown:
        known = ", ".join(ChatRequest.model_fields)
        return InvalidRequestError(f"unknown field {', '.join(unknown)}: known are {known}", field=unknown[0])
    first = problems[0]
    if not first["loc"] or first["type"] in _JSON_ERRORS:
        return InvalidRequestError(f"the body is not a JSON object: {first['msg']}")
    # pydantic puts the chosen branch of `X | None` nowhere, and an index after a list's name.
    field = str(first["loc"][0])
    return InvalidRequestError(f"{'.'.join(map(str, first['loc']))}: {first['msg']}", field=field)
