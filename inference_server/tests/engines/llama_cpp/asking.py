"""Asking an engine directly."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from codemodel_server.cancellation import Cancellation
from codemodel_server.engines.events import Finish, Text, Token
from codemodel_server.engines.llama_cpp.engine import LlamaCppEngine
from codemodel_server.engines.request import GenerationRequest, Plain, Sampling

GREEDY = Sampling(temperature=0)


@dataclass
class Answer:
    """What an engine said."""

    text: str = ""
    tokens: list[Token] = field(default_factory=list)
    finish: Finish | None = None

    @property
    def ids(self) -> list[int]:
        return [token.id for token in self.tokens]

    @property
    def end(self) -> Finish:
        assert self.finish is not None, "the answer has no end"
        return self.finish


def request(prompt: str, max_tokens: int | None = 16, **options: Any) -> GenerationRequest:
    return GenerationRequest(Plain(prompt), max_tokens, **{"sampling": GREEDY, **options})


def ask(engine: LlamaCppEngine, asked: GenerationRequest, cancellation: Cancellation | None = None) -> Answer:
    answer = Answer()
    for event in engine.prepare(asked).run(cancellation or Cancellation()):
        match event:
            case Text(text, tokens):
                answer.text += text
                answer.tokens += tokens
            case Finish():
                answer.finish = event
    return answer


def ask_all(engine: LlamaCppEngine, asked: list[GenerationRequest]) -> list[Answer]:
    """All at once, each on a thread of its own."""
    with ThreadPoolExecutor(len(asked)) as threads:
        return list(threads.map(lambda one: ask(engine, one), asked))


ROUNDING = 0.1
"""llama.cpp rounds differently for each number of rows (here by up to 0.02); a wrong prefix is off by ones."""


def same_until_a_tie(one: Answer, other: Answer) -> bool:
    """Whether two answers are the same, token by token and probability by probability.

    They may part where two tokens are as good as equally likely: what follows cannot be compared.
    """
    for mine, its in zip(one.tokens, other.tokens, strict=False):
        assert mine.logprob is not None
        assert its.logprob is not None
        if mine.id != its.id:
            return mine.logprob - mine.alternatives[1].logprob < ROUNDING
        if abs(mine.logprob - its.logprob) > ROUNDING:
            return False
    return len(one.tokens) == len(other.tokens)
