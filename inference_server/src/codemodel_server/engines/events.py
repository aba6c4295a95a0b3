"""What an engine says while it generates."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal, Protocol

from codemodel_server.cancellation import Cancellation

FinishReason = Literal["stop", "length"]


@dataclass(frozen=True, slots=True)
class Candidate:
    """A token that could have been chosen, and the logarithm of its probability."""

    id: int
    piece: bytes
    logprob: float


@dataclass(frozen=True, slots=True)
class Token:
    """A token of the answer.

    Attributes:
        id: its number in the vocabulary.
        piece: its bytes, which may end inside a character.
        logprob: the logarithm of its probability, by the model's own distribution; None unless asked for.
        alternatives: the likeliest tokens at this place, the likeliest first; empty unless asked for.
    """

    id: int
    piece: bytes
    logprob: float | None = None
    alternatives: tuple[Candidate, ...] = ()


@dataclass(frozen=True, slots=True)
class Text:
    """A piece of the answer: whole characters.

    Attributes:
        text: empty only if tokens were generated whose text is not certain yet.
        tokens: those generated since the event before, in order.
    """

    text: str
    tokens: tuple[Token, ...] = ()


@dataclass(frozen=True, slots=True)
class Finish:
    """The end of an answer, always the last event.

    Attributes:
        reason: "stop" (the model ended, or a stop text came) or "length" (max_tokens, the context or the time is
            used up).
        prompt_tokens: tokens of the prompt, template included.
        completion_tokens: tokens generated, those of a stop text included.
        cached_tokens: tokens of the prompt that had been read for an earlier request.
        stop_text: the stop text that ended the answer, if one did.
        prefill_seconds: from the first step of reading to the first token.
        decode_seconds: from the first token to the last one.
    """

    reason: FinishReason
    prompt_tokens: int
    completion_tokens: int
    cached_tokens: int = 0
    stop_text: str | None = None
    prefill_seconds: float = 0.0
    decode_seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Waiting:
    """Said now and then while there is nothing else to say: the request waits for its turn, or is being read."""


Event = Text | Waiting | Finish


def nothing_to_do() -> None:
    """What follows on an end that nobody waits for."""


class Generation(Protocol):
    """A request that an engine has accepted, not started yet.

    Attributes:
        prompt_tokens: tokens of the prompt; 0 if only the engine's server knows.
    """

    prompt_tokens: int

    def run(self, cancellation: Cancellation, ended: Callable[[], None] = nothing_to_do) -> Iterator[Event]:
        """Generates; closing the iterator frees what the generation holds.

        Args:
            cancellation: once it is cancelled, the iterator ends soon, without a Finish.
            ended: called, on any thread, when nothing is generated any more, whether or not all events are taken.

        Raises:
            ServingError: the engine failed, or the request cannot be served as it is.
        """
        ...
