"""What every engine offers: the seam between HTTP and text generation."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Literal, Protocol

from codemodel_server.cancellation import Cancellation
from codemodel_server.errors import InvalidRequestError, PromptTooLongError

FinishReason = Literal["stop", "length"]


class Priority(IntEnum):
    """Who comes first when several wait: somebody who types waits for a completion, a conversation can wait."""

    INFILL = 0
    CHAT = 1


@dataclass(frozen=True, slots=True)
class Message:
    """One turn of a conversation."""

    role: Literal["system", "user", "assistant"]
    content: str


@dataclass(frozen=True, slots=True)
class Instruction:
    """What a user wrote: a turn of a conversation for a model with a chat template, else text to continue."""

    prompt: str


@dataclass(frozen=True, slots=True)
class Conversation:
    """Turns of which the answer is the next one."""

    messages: tuple[Message, ...]


@dataclass(frozen=True, slots=True)
class Snippet:
    """Text of another file, as context for an infill."""

    filename: str
    text: str


@dataclass(frozen=True, slots=True)
class Infill:
    """Text around a place; the answer comes between prefix and suffix.

    Attributes:
        prefix: what comes before.
        suffix: what comes after.
        extra: what else may help, the most important last.
        prompt: what was typed after the prefix already: the answer goes on behind it (llama.cpp's /infill).
    """

    prefix: str
    suffix: str
    extra: tuple[Snippet, ...] = ()
    prompt: str = ""


@dataclass(frozen=True, slots=True)
class Plain:
    """Text, or tokens of this model, that is continued as it is: no chat template is put around it."""

    content: str | tuple[int, ...]


Reading = Instruction | Conversation | Infill | Plain


@dataclass(frozen=True, slots=True)
class Sampling:
    """How the next token is chosen; the names and meanings are llama.cpp's.

    Attributes:
        temperature: 0 always takes the likeliest token.
        top_k: keep this many of the likeliest tokens; 0 keeps all.
        top_p: keep the likeliest tokens that together have this probability; 1 keeps all.
        min_p: keep tokens at least this probable, relative to the likeliest; 0 keeps all.
        repeat_penalty: divides the logits of tokens of late; 1 does nothing.
        repeat_last_n: how many tokens count as of late; 0 none, -1 the whole context.
        presence_penalty: taken off the logits of tokens of late; 0 does nothing.
        frequency_penalty: the same for each time that they came; 0 does nothing.
        seed: same seed, same choices; None draws one.
        logit_bias: (token, what is added to its logit); minus infinity forbids it.
        ignore_eos: go on where the model would end.
    """

    temperature: float = 0.2
    top_k: int = 40
    top_p: float = 0.95
    min_p: float = 0.0
    repeat_penalty: float = 1.0
    repeat_last_n: int = 64
    presence_penalty: float = 0.0
    frequency_penalty: float = 0.0
    seed: int | None = None
    logit_bias: tuple[tuple[int, float], ...] = ()
    ignore_eos: bool = False


@dataclass(frozen=True, slots=True)
class GenerationRequest:
    """One request, already validated.

    Attributes:
        reading: what the answer follows from.
        max_tokens: the most tokens to generate; None as many as the context takes; 0 only reads, which warms the
            cache of prefixes.
        sampling: how tokens are chosen.
        stop: texts at which generation ends; they are not part of the answer.
        grammar: the answer must follow this GBNF grammar.
        json_schema: the answer must be JSON of this schema (itself JSON text); not together with `grammar`.
        logprobs: report the probability of each token and of so many alternatives; None reports nothing.
        priority: who comes first.
        share_prefix: whether what was read for earlier requests may be used; False reads everything anew.
        prefill_seconds: the most that reading may take; the answer is empty if it does. None is without limit.
        decode_seconds: the most that writing may take after the first token. None is without limit.
        main_field: the request's field that is to blame when all there is to read is too long.
    """

    reading: Reading
    max_tokens: int | None
    sampling: Sampling = field(default_factory=Sampling)
    stop: tuple[str, ...] = ()
    grammar: str | None = None
    json_schema: str | None = None
    logprobs: int | None = None
    priority: Priority = Priority.CHAT
    share_prefix: bool = True
    prefill_seconds: float | None = None
    decode_seconds: float | None = None
    main_field: str = "prompt"


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


class Generation(Protocol):
    """A request that an engine has accepted, not started yet.

    Attributes:
        prompt_tokens: tokens of the prompt; 0 if only the engine's server knows.
    """

    prompt_tokens: int

    def run(self, cancellation: Cancellation) -> Iterator[Event]:
        """Generates; closing the iterator frees what the generation holds.

        Args:
            cancellation: once it is cancelled, the iterator ends soon, without a Finish.

        Raises:
            ServingError: the engine failed.
        """
        ...


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

    def apply_template(self, messages: Sequence[Message]) -> str:
        """The prompt that a conversation becomes.

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
        message = (
            f"the prompt has {prompt_tokens} tokens, but prompt and answer together may have {context_length}: "
            "send a shorter prompt, or serve with a greater context length"
        )
        raise PromptTooLongError(message, field=main_field)
    return context_length - prompt_tokens


def not_supported(engine: str, what: str) -> InvalidRequestError:
    """The error of an engine that cannot do something."""
    return InvalidRequestError(f"{what} is not possible with the engine {engine}")
