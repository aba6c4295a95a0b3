"""What every engine offers: the seam between HTTP and text generation."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from codemodel_server.engines.events import Candidate, Generation
from codemodel_server.engines.request import GenerationRequest, Message
from codemodel_server.errors import InvalidRequestError, PromptTooLongError


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """What is known about the model; zeros and empty texts for what is not.

    Attributes:
        description: architecture, size and quantization in words.
        vocabulary: number of tokens.
        trained_context: tokens that it was trained for.
        embedding: width of its embeddings.
        parameters: number of weights.
        size_bytes: of its weights.
        chat_template: Jinja, as in the model file.
        bos: the text of the token that texts begin with.
        eos: the text of the token that ends an answer.
        infill: whether it can fill in the middle.
    """

    description: str = ""
    vocabulary: int = 0
    trained_context: int = 0
    embedding: int = 0
    parameters: int = 0
    size_bytes: int = 0
    chat_template: str = ""
    bos: str = ""
    eos: str = ""
    infill: bool = True


@dataclass(frozen=True, slots=True)
class Slot:
    """A generation under way, for people who look.

    Attributes:
        id: small number, unique among those under way.
        prompt_tokens: tokens to read.
        read_tokens: tokens read so far, cached ones included.
        generated_tokens: tokens generated so far.
        cached_tokens: tokens that did not have to be read.
    """

    id: int
    prompt_tokens: int
    read_tokens: int
    generated_tokens: int
    cached_tokens: int


@dataclass(frozen=True, slots=True)
class Activity:
    """What the engine does at a moment.

    Attributes:
        slots: generations under way.
        cells: tokens that the attention memory (KV cache) can hold; 0 if there is none to speak of.
        cells_used: tokens that running generations hold there.
        cells_cached: tokens kept there for later requests with the same beginning.
        decode_calls: how often the model was run.
    """

    slots: tuple[Slot, ...] = ()
    cells: int = 0
    cells_used: int = 0
    cells_cached: int = 0
    decode_calls: int = 0


class Engine(Protocol):
    """A loaded or loadable model.

    Attributes:
        name: "llama-cpp", "ollama" or "mock".
        context_length: tokens that prompt and answer may have together.
        concurrency: generations that may run at a time.
        reserved: generations of Priority.INFILL that may run beyond these.
    """

    name: str
    context_length: int
    concurrency: int
    reserved: int

    def load(self) -> None:
        """Loads the model; called once, before anything below, and may take minutes.

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

    def tokenize(self, text: str, *, add_special: bool, parse_special: bool) -> list[Candidate]:
        """The tokens of a text (their logprob is 0).

        Args:
            text: what to tokenize.
            add_special: put the beginning-of-text token in front if the model wants one.
            parse_special: understand the names of control tokens in `text`.

        Raises:
            InvalidRequestError: this engine cannot tell.
        """
        ...

    def detokenize(self, tokens: Sequence[int]) -> str:
        """The text of tokens.

        Raises:
            InvalidRequestError: this engine cannot tell, or a token is not in the vocabulary.
        """
        ...

    def apply_template(self, messages: Sequence[Message], *, answered: bool = True) -> str:
        """The prompt that a conversation becomes.

        Args:
            messages: a last one of the assistant is the beginning of the answer.
            answered: whether the prompt ends where the answer begins.

        Raises:
            InvalidRequestError: this engine cannot tell, or the template refuses the conversation.
        """
        ...

    def facts(self) -> ModelFacts:
        """What is known about the model."""
        ...

    def activity(self) -> Activity:
        """What it does now; cheap, on any thread."""
        ...

    def close(self) -> None:
        """Ends all generations and frees the model; for a process that ends."""
        ...


def room_for_answer(prompt_tokens: int, context_length: int, main_field: str = "prompt") -> int:
    """The tokens that an answer may have, at least 1.

    Raises:
        PromptTooLongError: there is no room; it blames `main_field`.
    """
    if prompt_tokens >= context_length:
        raise PromptTooLongError(prompt_tokens, context_length, field=main_field)
    return context_length - prompt_tokens


def not_supported(engine: str, what: str) -> InvalidRequestError:
    """The error of an engine that cannot do something."""
    return InvalidRequestError(f"{what} is not possible with the engine {engine}")
