"""One generation under way in the scheduler."""

import queue
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from codemodel_server.cancellation import Cancellation
from codemodel_server.engines.base import Slot
from codemodel_server.engines.events import Event, Finish, FinishReason, Text, Token, nothing_to_do
from codemodel_server.engines.llama_cpp.native.batch import Piece
from codemodel_server.engines.llama_cpp.native.sampler import Logits, Sampler
from codemodel_server.engines.llama_cpp.plan import Reader
from codemodel_server.engines.llama_cpp.prefixes import Node, Tokens
from codemodel_server.engines.request import GenerationRequest
from codemodel_server.engines.text import TextStream
from codemodel_server.errors import ServingError


@dataclass(slots=True, eq=False)
class Sequence:
    """What the engine's thread knows of a generation; only `events` and `cancellation` are used by other threads.

    Attributes:
        request: what was asked.
        prompt: tokens to read, shape (n,).
        limit: most tokens to write.
        sampler: chooses them.
        cancellation: says that nobody waits any more.
        arrival: when it came, in the scheduler's seconds.
        events: what is handed out; None is the end without a Finish.
        id: its sequence number in memory; -1 while it waits for room.
        position: tokens in memory.
        node: the prefix that it shares.
        cached: tokens that it did not have to read.
        written: tokens that were chosen; the last one is not in memory yet.
        pending: tokens of the last events that had no text of their own.
        started: when its first step began.
        first: when its first token came.
        ended: called with the last event.
        undecided: what its next token is to be chosen of, once its grammar has answered; it takes no part until then.
    """

    request: GenerationRequest
    prompt: Tokens
    limit: int
    sampler: Sampler
    cancellation: Cancellation
    arrival: float
    stream: TextStream
    events: "queue.SimpleQueue[Event | ServingError | None]" = field(default_factory=queue.SimpleQueue)
    id: int = -1
    position: int = 0
    node: Node | None = None
    cached: int = 0
    written: list[int] = field(default_factory=list)
    pending: list[Token] = field(default_factory=list)
    started: float | None = None
    first: float | None = None
    ended: Callable[[], None] = nothing_to_do
    undecided: Logits | None = None

    @property
    def cells(self) -> int:
        """The most cells that it may come to hold: the last token that it writes is never read."""
        return len(self.prompt) + max(0, self.limit - 1)

    @property
    def reading(self) -> bool:
        """Whether it has not read its whole prompt yet."""
        return self.position < len(self.prompt)

    def reader(self) -> Reader:
        """How the plan sees it."""
        position = min(self.position, len(self.prompt))
        shares = self.request.share_prefix
        return Reader(self.id, self.request.priority, self.arrival, self.prompt, position, shares)

    def next_tokens(self, count: int) -> Tokens:
        """The tokens that its next step puts into memory, at most `count`."""
        if self.reading:
            return self.prompt[self.position : self.position + count]
        return np.array(self.written[-1:], np.int32)

    def next_piece(self, number: int, count: int) -> Piece:
        """The same as a part of a decode, under a sequence number of the context that computes it."""
        tokens = self.next_tokens(count)
        return Piece(number, self.position, tokens, self.position + len(tokens) >= len(self.prompt))

    def in_memory(self) -> Tokens:
        """All tokens that are in memory."""
        written = np.array(self.written, np.int32)
        return np.concatenate([self.prompt, written])[: self.position]

    def add(self, token: Token, *, ends: bool) -> bool:
        """Takes a token and hands its text out; returns whether the answer is complete with it."""
        self.written.append(token.id)
        self.pending.append(token)
        text = self.stream.feed(b"" if ends else token.piece)
        if text or self.request.logprobs is not None:
            self._hand_out(text)
        return ends or self.stream.stopped or len(self.written) >= self.limit

    def finish(self, reason: FinishReason, now: float) -> None:
        """Hands the end out."""
        text = self.stream.flush()
        if text or self.pending:
            self._hand_out(text)
        first = now if self.first is None else self.first
        started = first if self.started is None else self.started
        self.end(
            Finish(
                reason,
                prompt_tokens=len(self.prompt),
                completion_tokens=len(self.written),
                cached_tokens=self.cached,
                stop_text=self.stream.stop_text,
                prefill_seconds=first - started,
                decode_seconds=now - first,
            )
        )

    def end(self, event: Finish | ServingError | None) -> None:
        """Hands the last event out."""
        self.events.put(event)
        self.ended()

    def slot(self) -> Slot:
        """What people who look are told."""
        return Slot(
            self.id, len(self.prompt), min(self.position, len(self.prompt)), len(self.written), self.cached
        )

    def _hand_out(self, text: str) -> None:
        self.events.put(Text(text, tuple(self.pending)))
        self.pending.clear()
