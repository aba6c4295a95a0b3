"""What requests to /chat may contain."""

from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from codemodel_server.errors import InvalidRequestError


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

    @model_validator(mode="after")
    def _says_once_what_to_read(self) -> Self:
        """Refuses what says nothing, or says it twice. The error passes through pydantic as it is.

        Raises:
            InvalidRequestError: it does.
        """
        if self.messages is None:
            if self.prompt is None:
                raise InvalidRequestError("send either `prompt` or `messages`", field="prompt")
            # At the beginning of a file, there is nothing but what comes after the cursor.
            if not self.prompt and not self.suffix:
                raise InvalidRequestError("prompt: must not be empty", field="prompt")
        elif self.prompt is not None:
            raise InvalidRequestError("send either `prompt` or `messages`, not both", field="messages")
        elif self.suffix is not None:
            raise InvalidRequestError("`suffix` goes with `prompt`, not with `messages`", field="suffix")
        elif self.messages[-1].role != "user":
            raise InvalidRequestError("messages: the last one must be the user's", field="messages")
        return self
