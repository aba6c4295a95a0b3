"""What every engine offers: the seam between HTTP and text generation."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal, Protocol

from codemodel_server.errors import PromptTooLongError

FinishReason = Literal["stop", "length"]
Abandoned = Callable[[], bool]


@dataclass(frozen=True, slots=True)
class Message:
    """One turn of a conversation."""

    role: Literal["system", "user", "assistant"]
    content: str


@dataclass(frozen=True, slots=True)
class GenerationRequest:
    """One request, already validated.

    Attributes:
        prompt: what the user wrote; an engine wraps it into the model's chat template where there is one.
        max_tokens: the most tokens to generate; fewer if the context is full before.
        temperature: 0 always takes the likeliest token.
        top_p: keep the likeliest tokens that together have this probability; 1 keeps all.
        top_k: keep this many of the likeliest tokens; 0 keeps all.
        seed: same seed, same text; None draws one.
        stop: texts at which generation ends; they are not part of the answer.
        suffix: fill in the middle: what the answer lies between is `prompt` and this; None asks for an answer.
        messages: a conversation that the answer is the next turn of, in place of `prompt`, which is empty then.
    """

    prompt: str
    max_tokens: int
    temperature: float = 0.2
    top_p: float = 0.95
    top_k: int = 40
    seed: int | None = None
    stop: tuple[str, ...] = ()
    suffix: str | None = None
    messages: tuple[Message, ...] = ()

    @property
    def main_field(self) -> str:
        """The field that is to blame when all there is to read is too long."""
        return "messages" if self.messages else "prompt"


@dataclass(frozen=True, slots=True)
class Text:
    """A piece of the answer: whole characters, never empty."""

    text: str


@dataclass(frozen=True, slots=True)
class Finish:
    """The end of an answer, always the last event.

    Attributes:
        reason: "stop" (the model ended, or a stop text came) or "length" (max_tokens or the context is used up).
        prompt_tokens: tokens of the prompt, template included.
        completion_tokens: tokens generated, those of a stop text included.
    """

    reason: FinishReason
    prompt_tokens: int
    completion_tokens: int


Event = Text | Finish


class Generation(Protocol):
    """A request that an engine has accepted, not started yet."""

    def run(self, abandoned: Abandoned) -> Iterator[Event]:
        """Generates; closing the iterator frees what the generation holds.

        Args:
            abandoned: asked between steps; once true, the iterator ends without a Finish.

        Raises:
            ServingError: the engine failed.
        """
        ...


class Engine(Protocol):
    """A loaded or loadable model.

    Attributes:
        name: "llama-cpp", "ollama" or "mock".
        context_length: tokens that prompt and answer may have together.
        concurrency: generations that may run at a time.
    """

    name: str
    context_length: int
    concurrency: int

    def load(self) -> None:
        """Loads the model; called once, before any `prepare`, and may take minutes.

        Raises:
            LoadError: it cannot be loaded.
        """
        ...

    def prepare(self, request: GenerationRequest) -> Generation:
        """Checks a request against the model, cheaply, on any thread.

        Raises:
            InvalidRequestError: it does not fit the model, for example a prompt longer than the context.
        """
        ...


def room_for_answer(prompt_tokens: int, context_length: int, field: str = "prompt") -> int:
    """The tokens that an answer may have, at least 1.

    Raises:
        PromptTooLongError: there is no room; it blames `field`.
    """
    if prompt_tokens >= context_length:
        message = (
            f"the prompt has {prompt_tokens} tokens, but prompt and answer together may have {context_length}: "
            "send a shorter prompt, or serve with a greater context length"
        )
        raise PromptTooLongError(message, field=field)
    return context_length - prompt_tokens
