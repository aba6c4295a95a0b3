"""What OpenAI's requests may contain."""

from typing import Annotated, Any, Literal, Self

from pydantic import Field, JsonValue, model_validator

from codemodel_server.api.fields import Choices, Lenient, Limit, SamplingFields, Tokens
from codemodel_server.api.turns import Turns
from codemodel_server.errors import InvalidRequestError

_MOST_PROMPTS = 16


class StreamOptions(Lenient):
    """What a stream tells beside the text."""

    include_usage: bool | None = None


class SchemaFormat(Lenient):
    """The schema of an answer; its name and description are not used."""

    schema_: Annotated[dict[str, JsonValue] | None, Field(alias="schema")] = None


class ResponseFormat(Lenient):
    """The form of an answer. llama.cpp's server takes a schema here too."""

    type: Literal["text", "json_object", "json_schema"]
    json_schema: SchemaFormat | None = None
    schema_: Annotated[dict[str, JsonValue] | None, Field(alias="schema")] = None


class _Common(SamplingFields):
    model: str | None = None
    max_tokens: Limit | None = None
    temperature: Annotated[float, Field(ge=0, le=2)] | None = None
    n: Choices | None = None
    stream: bool | None = None
    stream_options: StreamOptions | None = None

    @property
    def with_usage(self) -> bool:
        """Whether a stream tells the tokens of the answer."""
        return self.stream_options is not None and bool(self.stream_options.include_usage)

    response_format: ResponseFormat | None = None


class ChatCompletionRequest(_Common):
    """The body of POST /v1/chat/completions."""

    messages: Turns
    max_completion_tokens: Limit | None = None
    logprobs: bool | None = None
    top_logprobs: Annotated[int, Field(ge=0, le=20)] | None = None
    tools: JsonValue = None
    tool_choice: JsonValue = None
    functions: JsonValue = None
    function_call: JsonValue = None
    modalities: list[str] | None = None
    audio: JsonValue = None

    @model_validator(mode="after")
    def _probabilities_are_asked_for(self) -> Self:
        if self.top_logprobs is not None and not self.logprobs:
            message = "`top_logprobs` goes with `logprobs`: true"
            raise InvalidRequestError(message, field="top_logprobs")
        return self


class CompletionRequest(_Common):
    """The body of POST /v1/completions."""

    prompt: (
        str
        | Tokens
        | Annotated[list[str], Field(min_length=1, max_length=_MOST_PROMPTS)]
        | Annotated[list[Tokens], Field(min_length=1, max_length=_MOST_PROMPTS)]
    )
    suffix: str | None = None
    echo: bool | None = None
    logprobs: Annotated[int, Field(ge=0, le=20)] | None = None
    best_of: Choices | None = None


def refuse_what_is_not_text(asked: ChatCompletionRequest) -> None:
    """Tools, functions and sound are not ignored: the answer would not be what its client can use.

    Raises:
        InvalidRequestError: one of them is asked for.
    """
    for field in ("tools", "functions"):
        if getattr(asked, field):
            message = (
                f"this server does not call {field}: leave `{field}` out, and let the model answer in text"
            )
            raise InvalidRequestError(message, field=field)
    for field in ("tool_choice", "function_call"):
        if getattr(asked, field) not in (None, "none", "auto"):
            raise InvalidRequestError(f'{field}: only "none" is possible: there are no tools', field=field)
    if asked.audio is not None or set(asked.modalities or ()) - {"text"}:
        raise InvalidRequestError("modalities: only text is possible", field="modalities")


def schema_asked_for(form: ResponseFormat | None) -> dict[str, Any] | None:
    """The JSON schema that an answer has to follow, or None for free text.

    Raises:
        InvalidRequestError: a schema is announced and missing.
    """
    if form is None or form.type == "text":
        return None
    given = form.json_schema.schema_ if form.json_schema is not None else form.schema_
    if given is not None:
        return dict(given)
    if form.type == "json_schema":
        message = "response_format.json_schema.schema: is missing"
        raise InvalidRequestError(message, field="response_format")
    return {"type": "object"}
