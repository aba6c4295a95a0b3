"""What an engine is asked for."""

from dataclasses import dataclass, field
from enum import IntEnum
from typing import Literal


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
