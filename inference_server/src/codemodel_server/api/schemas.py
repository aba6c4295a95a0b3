"""What requests may contain."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from codemodel_server.errors import InvalidRequestError

_JSON_ERRORS = {"json_invalid", "json_type"}
# Characters of an unknown field's name that are repeated in the answer.
_LONGEST_NAME = 64


class ChatMessage(BaseModel):
    """One turn of a conversation."""

    model_config = ConfigDict(extra="forbid", strict=True)

    role: Literal["system", "user", "assistant"]
    content: str


class ChatRequest(BaseModel):
    """The body of POST /chat; see `GenerationRequest` for what the fields mean."""

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)

    prompt: str | None = None
    suffix: str | None = None
    messages: Annotated[list[ChatMessage], Field(min_length=1, max_length=1024)] | None = None
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
        asked = ChatRequest.model_validate_json(body)
    except ValidationError as error:
        raise _explain(error) from None
    _check_reading(asked)
    return asked


def _check_reading(asked: ChatRequest) -> None:
    """Whether it says what to read, and only once.

    Raises:
        InvalidRequestError: it does not.
    """
    if asked.messages is None:
        if asked.prompt is None:
            raise InvalidRequestError("send either `prompt` or `messages`", field="prompt")
        # At the beginning of a file, there is nothing but what comes after the cursor.
        if not asked.prompt and not asked.suffix:
            raise InvalidRequestError("prompt: must not be empty", field="prompt")
    elif asked.prompt is not None:
        raise InvalidRequestError("send either `prompt` or `messages`, not both", field="messages")
    elif asked.suffix is not None:
        raise InvalidRequestError("`suffix` goes with `prompt`, not with `messages`", field="suffix")
    elif asked.messages[-1].role != "user":
        raise InvalidRequestError("messages: the last one must be the user's", field="messages")


def _explain(error: ValidationError) -> InvalidRequestError:
    problems = error.errors(include_url=False, include_context=False, include_input=False)
    extra = (problem["loc"] for problem in problems if problem["type"] == "extra_forbidden")
    unknown = sorted(str(place[0]) for place in extra if len(place) == 1)
    if unknown:
        known = ", ".join(ChatRequest.model_fields)
        name = unknown[0][:_LONGEST_NAME]
        return InvalidRequestError(f"unknown field {name}: known are {known}", field=name)
    first = problems[0]
    if not first["loc"] or first["type"] in _JSON_ERRORS:
        return InvalidRequestError(f"the body is not a JSON object: {first['msg']}")
    # pydantic puts the chosen branch of `X | None` nowhere, and an index after a list's name.
    field = str(first["loc"][0])
    return InvalidRequestError(f"{'.'.join(map(str, first['loc']))}: {first['msg']}", field=field)
