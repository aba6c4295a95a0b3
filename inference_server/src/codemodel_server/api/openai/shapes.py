"""What OpenAI's answers look like."""

import time
import uuid
from collections.abc import Sequence
from typing import Any

from codemodel_server import __version__
from codemodel_server.engines.events import Candidate, Finish, Token

FINGERPRINT = f"codemodel-{__version__}"
Json = dict[str, Any]


class Head:
    """What all chunks of an answer begin with.

    Args:
        kind: the object's type, for example "chat.completion".
        prefix: of its identifier.
        model: the model's name.
    """

    def __init__(self, kind: str, prefix: str, model: str) -> None:
        self._head = {
            "id": f"{prefix}-{uuid.uuid4().hex}",
            "object": kind,
            "created": int(time.time()),
            "model": model,
            "system_fingerprint": FINGERPRINT,
        }

    def with_choices(self, choices: list[Json], **more: Any) -> Json:
        """A whole answer, or a chunk of it."""
        return {**self._head, "choices": choices, **more}


def usage_of(finishes: Sequence[Finish], choices: int) -> Json:
    """Tokens of an answer.

    Args:
        finishes: of all choices, those of one prompt together.
        choices: so many there are to each prompt, which is counted once.
    """
    prompts = finishes[::choices]
    prompt = sum(finish.prompt_tokens for finish in prompts)
    completion = sum(finish.completion_tokens for finish in finishes)
    return {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt + completion,
        "prompt_tokens_details": {"cached_tokens": sum(finish.cached_tokens for finish in prompts)},
    }


def chat_logprobs(tokens: Sequence[Token], top: int) -> Json:
    """The probabilities of a chat's tokens, in OpenAI's form."""
    return {
        "content": [
            {
                **_odds(token.piece, token.logprob),
                "top_logprobs": [_odds(other.piece, other.logprob) for other in token.alternatives[:top]],
            }
            for token in tokens
        ],
        "refusal": None,
    }


def completion_logprobs(tokens: Sequence[Token], top: int, offset: int = 0) -> Json:
    """The same in the form of completions; `offset` is the place of the first token's text."""
    offsets = []
    for token in tokens:
        offsets.append(offset)
        offset += len(readable(token.piece))
    return {
        "tokens": [readable(token.piece) for token in tokens],
        "token_logprobs": [_finite(token.logprob) for token in tokens],
        "top_logprobs": [_alternatives(token.alternatives[:top]) for token in tokens],
        "text_offset": offsets,
    }


def readable(piece: bytes) -> str:
    """The text of a token; what is no character is replaced."""
    return piece.decode("utf-8", "replace")


def _alternatives(candidates: Sequence[Candidate]) -> dict[str, float]:
    return {readable(candidate.piece): _finite(candidate.logprob) for candidate in candidates}


def _odds(piece: bytes, logprob: float | None) -> Json:
    return {"token": readable(piece), "logprob": _finite(logprob), "bytes": list(piece)}


def _finite(logprob: float | None) -> float:
    """JSON has no minus infinity; OpenAI writes this instead."""
    return -9999.0 if logprob is None or logprob < -9999.0 else logprob
