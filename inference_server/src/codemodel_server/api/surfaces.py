"""How each surface writes an error: this server's own, OpenAI's and llama.cpp's form."""

from dataclasses import dataclass
from typing import Any

from codemodel_server.errors import PromptTooLongError, ServingError

_LLAMA_CPP_PATHS = frozenset(
    ("/completion", "/infill", "/tokenize", "/detokenize", "/apply-template", "/props", "/slots")
)
_OPENAI_PATHS = frozenset(("/chat/completions", "/completions", "/fim/completions", "/models"))
# The codes by which clients of OpenAI know an error, where this server's own name for it is another.
_OPENAI_CODES = {
    "unauthorized": "invalid_api_key",
    "prompt_too_long": "context_length_exceeded",
    "queue_full": "rate_limit_exceeded",
}
_OPENAI_TYPES = {401: "authentication_error", 429: "rate_limit_error"}
_LLAMA_CPP_TYPES = {
    401: "authentication_error",
    404: "not_found_error",
    429: "rate_limit_error",
    503: "unavailable_error",
}


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong, before it is written in a surface's form.

    Attributes:
        status: of HTTP.
        type: stable, for programs; this server's own name.
        message: for people.
        field: the request's field that is to blame, if one is.
        sizes: of a prompt that is too long and of the context, by llama.cpp's names.
    """

    status: int
    type: str
    message: str
    field: str | None = None
    sizes: tuple[tuple[str, int], ...] = ()


def problem_of(error: ServingError) -> Problem:
    """The problem that an error tells of."""
    sizes: tuple[tuple[str, int], ...] = ()
    if isinstance(error, PromptTooLongError):
        sizes = (("n_prompt_tokens", error.prompt_tokens), ("n_ctx", error.context_length))
    return Problem(error.status, error.type, error.message, error.field, sizes)


def error_body(path: str, problem: Problem) -> dict[str, Any]:
    """The body of an error's answer at a path."""
    if path in _LLAMA_CPP_PATHS:
        return _llama_cpp(problem)
    if path.startswith(("/v1/", "/models/")) or path in _OPENAI_PATHS:
        return _openai(problem)
    return {
        "error": {
            "message": problem.message,
            "type": problem.type,
            "field": problem.field,
            **dict(problem.sizes),
        }
    }


def _openai(problem: Problem) -> dict[str, Any]:
    kind = "invalid_request_error" if problem.status < 500 else "server_error"
    return {
        "error": {
            "message": problem.message,
            "type": _OPENAI_TYPES.get(problem.status, kind),
            "param": problem.field,
            "code": _OPENAI_CODES.get(problem.type, problem.type),
            **dict(problem.sizes),
        }
    }


def _llama_cpp(problem: Problem) -> dict[str, Any]:
    kind = "invalid_request_error" if problem.status < 500 else "server_error"
    too_long = problem.type == "prompt_too_long"
    name = "exceed_context_size_error" if too_long else _LLAMA_CPP_TYPES.get(problem.status, kind)
    return {
        "error": {"code": problem.status, "message": problem.message, "type": name, **dict(problem.sizes)}
    }
