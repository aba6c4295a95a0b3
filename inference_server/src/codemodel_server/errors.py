"""What can go wrong while serving, as types that know their HTTP answer.

ServingError
├── InvalidRequestError     400  the request cannot be served as it is
│   └── PromptTooLongError  400  prompt or conversation leave no room in the model's context
├── UnauthorizedError       401  no API key that the server knows came with the request
├── QueueFullError          429  too many requests wait already
├── NotReadyError           503  the model is loading, has failed, or the server is draining
├── DeadlineError           504  the request took longer than a request may
├── EngineFailedError       500  the engine failed while generating
└── UpstreamError           502  another server that the engine relies on (Ollama) is away or refuses

LoadError: the model cannot be loaded; the server ends with its message.
"""


class ServingError(Exception):
    """An error with an HTTP status, a stable type for programs and a message for people.

    Args:
        message: what is wrong and what to do.
        field: the request's field that is to blame, if one is.
        retry_after: seconds after which a retry makes sense.
    """

    status = 500
    type = "internal_error"

    def __init__(self, message: str, *, field: str | None = None, retry_after: int | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.field = field
        self.retry_after = retry_after

    def as_json(self) -> dict[str, dict[str, str | None]]:
        """The body of the answer."""
        return {"error": {"message": self.message, "type": self.type, "field": self.field}}


class InvalidRequestError(ServingError):
    """The request cannot be served as it is; sending it again will not help."""

    status = 400
    type = "invalid_request"


class PromptTooLongError(InvalidRequestError):
    """What is to be read leaves no room for an answer: a shorter text may be served.

    Args:
        prompt_tokens: to be read.
        context_length: tokens that prompt and answer may have together.
        field: the request's field that is to blame.
    """

    type = "prompt_too_long"

    def __init__(self, prompt_tokens: int, context_length: int, *, field: str) -> None:
        super().__init__(
            f"the prompt ({prompt_tokens} tokens) exceeds the available context size ({context_length} tokens for "
            "prompt and answer together): send a shorter prompt, or serve with a greater context length",
            field=field,
        )
        self.prompt_tokens = prompt_tokens
        self.context_length = context_length


class UnauthorizedError(ServingError):
    """The server has API keys, and none of them came with the request."""

    status = 401
    type = "unauthorized"


class QueueFullError(ServingError):
    """As many requests wait as may wait."""

    status = 429
    type = "queue_full"


class NotReadyError(ServingError):
    """The server does not take requests now."""

    status = 503
    type = "not_ready"


class DeadlineError(ServingError):
    """Waiting and answering took longer than a request may take."""

    status = 504
    type = "deadline_exceeded"


class EngineFailedError(ServingError):
    """The engine failed on this request; others may succeed."""

    status = 500
    type = "engine_failed"


class UpstreamError(ServingError):
    """A server behind this one is away or refuses."""

    status = 502
    type = "upstream_failed"


class LoadError(Exception):
    """The model cannot be loaded: one line that says why and what to do."""
