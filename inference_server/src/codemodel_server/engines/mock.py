"""An engine without a model, for tests and for trying out clients: the same prompt always gives the same text."""

import hashlib
import json
import math
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from itertools import count

from codemodel_server.cancellation import Cancellation
from codemodel_server.engines import mock_vocabulary as vocabulary
from codemodel_server.engines.base import Activity, ModelFacts, not_supported, room_for_answer
from codemodel_server.engines.events import (
    Candidate,
    Event,
    Finish,
    FinishReason,
    Text,
    Token,
    Waiting,
    nothing_to_do,
)
from codemodel_server.engines.request import (
    Conversation,
    GenerationRequest,
    Infill,
    Instruction,
    Message,
    Plain,
)
from codemodel_server.engines.text import TextStream
from codemodel_server.engines.under_way import UnderWay
from codemodel_server.errors import EngineFailedError, InvalidRequestError

_SHORTEST_ANSWER = 32
# How often somebody who waits for a slow answer is told that it goes on.
_REASSURE_SECONDS = 1.0
_JSON_ANSWER = "{}"


class MockGeneration:
    """See `MockEngine`."""

    def __init__(
        self, engine: "MockEngine", request: GenerationRequest, text: str, prompt_tokens: int
    ) -> None:
        self.prompt_tokens = prompt_tokens
        self.generated = 0
        self._engine = engine
        self._request = request
        self._text = text
        room = room_for_answer(prompt_tokens, engine.context_length, request.main_field)
        self._limit = room if request.max_tokens is None else min(request.max_tokens, room)

    def run(self, cancellation: Cancellation, ended: Callable[[], None] = nothing_to_do) -> Iterator[Event]:
        """Generates pseudo-code chosen by prompt and seed.

        Raises:
            EngineFailedError: the request is one of those that fail.
        """
        if fails(self._request, self._engine.failure):
            raise EngineFailedError("the engine mock was told to fail on this request")
        with self._engine.under_way.entered(self):
            yield from self._run(cancellation)
            ended()

    def _run(self, cancellation: Cancellation) -> Iterator[Event]:
        stream = TextStream(self._request.stop)
        began = self._engine.clock()
        first = last = None
        reason: FinishReason = "length"
        tokens = _answer(self._request, self._text)
        while self.generated < self._limit:
            token = next(tokens, None)
            if token is None:
                reason = "stop"
                break
            allowed = self._request.prefill_seconds if first is None else self._request.decode_seconds
            until = (began if first is None else first) + (math.inf if allowed is None else allowed)
            yield from self._engine.pause(cancellation, until)
            if cancellation.cancelled:
                return
            last = self._engine.clock()
            if last >= until:
                break
            first = last if first is None else first
            self.generated += 1
            self._engine.count()
            yield Text(stream.feed(token.piece), (token,))
            if stream.stopped:
                reason = "stop"
                break
        if rest := stream.flush():
            yield Text(rest)
        end = self._engine.clock()
        yield Finish(
            "stop" if stream.stopped else reason,
            self.prompt_tokens,
            self.generated,
            stop_text=stream.stop_text,
            prefill_seconds=(end if first is None else first) - began,
            decode_seconds=0.0 if first is None or last is None else last - first,
        )


class MockEngine:
    """Answers with pseudo-code at a chosen speed.

    Of `Sampling`, only the seed has an effect. An answer is as long as `max_tokens` allows, or of a length that the
    prompt decides where it is None. With a JSON schema the answer is an empty object; grammars are refused.

    Args:
        context_length: tokens that prompt and answer may have together; see `mock_vocabulary`.
        parallel: generations that may run at a time.
        tokens_per_second: speed of each generation; 0 does not wait.
        failure: share of the requests, from 0 to 1, that fail; `fails` tells which.
        wait: waits so many seconds, or until it is cancelled.
        clock: seconds, monotonic.
    """

    name = "mock"
    reserved = 1

    def __init__(
        self,
        context_length: int,
        parallel: int,
        tokens_per_second: float,
        failure: float = 0.0,
        *,
        wait: Callable[[Cancellation, float], bool] = Cancellation.wait,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.context_length = context_length
        self.concurrency = parallel
        self.failure = failure
        self.clock = clock
        self.under_way = UnderWay()
        self._delay = 1 / tokens_per_second if tokens_per_second else 0.0
        self._wait = wait
        self._lock = threading.Lock()
        self._tokens = 0

    def load(self) -> None:
        """Does nothing: there is no model."""

    def prepare(self, request: GenerationRequest) -> MockGeneration:
        """Counts the prompt's tokens.

        Raises:
            InvalidRequestError: the prompt leaves no room in the context, or a grammar is asked for.
        """
        if request.grammar is not None:
            raise not_supported(self.name, "a grammar")
        if request.json_schema is not None:
            _check_schema(request.json_schema)
        if isinstance(request.reading, Plain) and not isinstance(request.reading.content, str):
            return MockGeneration(
                self, request, self.detokenize(request.reading.content), len(request.reading.content)
            )
        text = _read(request)
        return MockGeneration(self, request, text, len(vocabulary.encode(text)))

    def tokenize(self, text: str, *, add_special: bool, parse_special: bool) -> list[Candidate]:  # noqa: ARG002
        """The tokens of a text; there are no special ones."""
        return [Candidate(token, vocabulary.piece(token), 0.0) for token in vocabulary.encode(text)]

    def detokenize(self, tokens: Sequence[int]) -> str:
        """The text of tokens.

        Raises:
            InvalidRequestError: one is not in the vocabulary.
        """
        try:
            return vocabulary.decode(tokens)
        except ValueError as error:
            raise InvalidRequestError(str(error)) from None

    def apply_template(self, messages: Sequence[Message], *, answered: bool = True) -> str:
        """A line with the role, then what was said; a last turn of the assistant is the beginning of the answer."""
        text = "".join(f"<|{message.role}|>\n{message.content}\n" for message in messages)
        if messages and messages[-1].role == "assistant":
            return text.removesuffix("\n")
        return text + "<|assistant|>\n" if answered else text

    def facts(self) -> ModelFacts:
        """What there is to know about no model."""
        return ModelFacts(
            description="no model: pseudo-code for tests",
            vocabulary=vocabulary.SIZE,
            trained_context=self.context_length,
        )

    def activity(self) -> Activity:
        """What runs now; the attention memory is as large as if every generation had a whole context."""
        slots = self.under_way.slots()
        used = sum(slot.read_tokens + slot.generated_tokens for slot in slots)
        cells = self.context_length * (self.concurrency + self.reserved)
        return Activity(slots, cells, used, 0, self._tokens)

    def close(self) -> None:
        """Does nothing: generations end with their clients."""

    def count(self) -> None:
        """Notes that a token was generated."""
        with self._lock:
            self._tokens += 1

    def pause(self, cancellation: Cancellation, until: float) -> Iterator[Waiting]:
        """Waits as long as a token takes, no longer than until then, and not at all once cancelled."""
        now = self.clock()
        end = min(now + self._delay, until)
        while now < end and not self._wait(cancellation, min(end - now, _REASSURE_SECONDS)):
            now = self.clock()
            if now < end:
                yield Waiting()


def fails(request: GenerationRequest, share: float) -> bool:
    """Whether this request is of the share of them that fails: the same always does."""
    return int.from_bytes(_digest(f"fail\0{request.sampling.seed}\0{_read(request)}")[:4]) < share * (1 << 32)


def _read(request: GenerationRequest) -> str:
    """All that a request gives to read."""
    match request.reading:
        case Instruction(prompt):
            return prompt
        case Conversation(messages):
            return "".join(message.content for message in messages)
        case Infill(prefix, suffix, extra, prompt):
            return "".join((*(f"{one.filename}\n{one.text}\n" for one in extra), suffix, prefix, prompt))
        case Plain(content):
            return content if isinstance(content, str) else vocabulary.decode(content)


def _answer(request: GenerationRequest, text: str) -> Iterator[Token]:
    """The answer's tokens; it ends by itself only if no length was asked for."""
    if request.json_schema is not None:
        for token in vocabulary.encode(_JSON_ANSWER):
            yield _with_odds(token, vocabulary.piece(token), request.logprobs, 0)
        return
    key = f"{request.sampling.seed}\0{text}"
    natural = request.max_tokens is None and not request.sampling.ignore_eos
    length = _SHORTEST_ANSWER + _digest(key)[0] if natural else None
    for index in count():
        if index == length:
            return
        digest = _digest(f"{index}\0{key}")
        chosen = digest[0] % len(vocabulary.WORDS)
        yield _with_odds(vocabulary.word(chosen), vocabulary.WORDS[chosen], request.logprobs, digest[1])


def _with_odds(number: int, piece: bytes, wanted: int | None, luck: int) -> Token:
    """A token, with the odds that were asked for: the one chosen is the likeliest, each next one half as likely."""
    if wanted is None:
        return Token(number, piece)
    likely = 0.5 + luck / 1024
    best = Candidate(number, piece, math.log(likely))
    others = (vocabulary.word(i) for i in range(len(vocabulary.WORDS)) if vocabulary.word(i) != number)
    rest = [
        Candidate(other, vocabulary.piece(other), math.log((1 - likely) / (2 << place)))
        for place, other in zip(range(wanted - 1), others, strict=False)
    ]
    return Token(number, piece, best.logprob, tuple([best, *rest][:wanted]))


def _check_schema(text: str) -> None:
    try:
        schema = json.loads(text)
    except ValueError:
        schema = None
    if not isinstance(schema, dict | bool):
        raise InvalidRequestError("the JSON schema is not a JSON object", field="json_schema")


def _digest(key: str) -> bytes:
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).digest()
