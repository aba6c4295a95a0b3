"""The engine's thread: many generations in one model, token by token."""

import logging
import math
import queue
import threading
import time
from collections.abc import Callable, Mapping
from collections.abc import Sequence as Items
from functools import partial

from codemodel_server.engines.base import Activity
from codemodel_server.engines.events import FinishReason
from codemodel_server.engines.llama_cpp.choice import Choice
from codemodel_server.engines.llama_cpp.native.batch import Piece
from codemodel_server.engines.llama_cpp.native.context import MOST_SEQUENCES, NativeContext, Outcome
from codemodel_server.engines.llama_cpp.native.model import NativeModel
from codemodel_server.engines.llama_cpp.native.sampler import Logits
from codemodel_server.engines.llama_cpp.pace import LONGEST_INSIDE, READING_SECONDS, TILE, Pace
from codemodel_server.engines.llama_cpp.plan import readings, writers
from codemodel_server.engines.llama_cpp.prefill import Prefill
from codemodel_server.engines.llama_cpp.room import Room
from codemodel_server.engines.llama_cpp.sequence import Sequence
from codemodel_server.engines.request import Priority
from codemodel_server.errors import EngineFailedError, ServingError

_LOG = logging.getLogger("gunicorn.error")
# The attention kernel looks at the mask of every cell in use, for each token and head that others share. Measured with
# one thread and 88 of these: 0.04 µs for a token and a cell; see docs/performance.md.
_LOOK_SECONDS = 0.45e-9
_EXPIRE_STEPS = 8
# Somebody may come meanwhile.
_UNDECIDED_SECONDS = 0.01


class Scheduler:
    """Runs the sequences that are submitted; it owns the context, and its thread is the only one to use it.

    Sequences join and leave between steps. A step is a token for each that writes, and as much of short prompts as the
    pace allows; between two steps, a long prompt is read on.

    Args:
        model: chooses among its tokens.
        context: where they are computed.
        places: how many sequences may run at a time.
        pace: how much a step may read.
        prefill: reads long prompts; None leaves them to the steps.
    """

    def __init__(
        self, model: NativeModel, context: NativeContext, places: int, pace: Pace, prefill: Prefill | None
    ) -> None:
        self._model = model
        self._context = context
        self._places = places
        self._pace = pace
        self._prefill = prefill
        self._choice = Choice(model)
        self._room = self._empty_room()
        self._inbox: queue.SimpleQueue[Sequence | None] = queue.SimpleQueue()
        self._waiting: list[Sequence] = []
        self._running: list[Sequence] = []
        self._step = 0
        self._decodes = 0
        self._closing = False
        # Whether somebody waits for a token, so that only infills are worth a step before it is due.
        self._streams = False
        # The sequence that a decode under way is for, if it is for one only.
        self._alone: Sequence | None = None
        self._alone_lock = threading.Lock()
        self._thread = threading.Thread(target=self._run, name="engine", daemon=True)

    def start(self) -> None:
        """Starts the thread."""
        self._thread.start()

    def submit(self, sequence: Sequence) -> None:
        """Takes a sequence; its events come through its queue. On any thread."""
        self._inbox.put(sequence)
        if not self._streams or sequence.request.priority is Priority.INFILL:
            self._wake()

    def cancel(self, sequence: Sequence) -> None:
        """Ends the decode under way if it is for this cancelled sequence alone. On any thread."""
        with self._alone_lock:
            if self._alone is sequence:
                self._context.abort()
        self._wake()

    def close(self) -> None:
        """Ends all sequences and the thread."""
        self._closing = True
        with self._alone_lock:
            self._context.abort()
        self._inbox.put(None)
        self._wake()
        self._thread.join()

    def activity(self) -> Activity:
        """What it does now. On any thread: numbers of different moments may be mixed."""
        running = list(self._running)
        used = sum(sequence.position for sequence in running)
        total = self._room.used(running)
        slots = tuple(sequence.slot() for sequence in running)
        return Activity(slots, self._room.cells, min(used, total), max(0, total - used), self._decodes)

    def _wake(self) -> None:
        if self._prefill is not None:
            self._prefill.wake()

    def _run(self) -> None:
        while not self._closing:
            self._receive()
            try:
                self._drop_cancelled()
                self._admit()
                self._advance()
            except Exception:
                _LOG.exception("a step of the engine failed: what runs ends, and its memory is cleared")
                self._start_over()
        for sequence in (*self._running, *self._waiting):
            self._fail(sequence, "the server is shutting down")

    def _receive(self) -> None:
        """Takes what was submitted; waits for something if there is nothing to do."""
        idle = not self._running and not self._waiting
        while idle or not self._inbox.empty():
            sequence = self._inbox.get()
            idle = False
            if sequence is not None:
                self._waiting.append(sequence)

    def _drop_cancelled(self) -> None:
        now = time.monotonic()
        for sequence in [s for s in self._waiting if s.cancellation.cancelled]:
            self._waiting.remove(sequence)
            sequence.end(None)
        for sequence in list(self._running):
            if sequence.cancellation.cancelled:
                self._leave(sequence)
                sequence.end(None)
            elif _out_of_time(sequence, now):
                self._leave(sequence)
                sequence.finish("length", now)

    def _admit(self) -> None:
        """Lets in who is next. One that needs more room than there is keeps those of its priority behind it waiting."""
        self._waiting.sort(key=lambda s: (s.request.priority, s.arrival))
        blocked: set[Priority] = set()
        for sequence in list(self._waiting):
            priority = sequence.request.priority
            if priority in blocked:
                continue
            if self._room.enter(sequence, self._running):
                self._waiting.remove(sequence)
                self._running.append(sequence)
            else:
                blocked.add(priority)

    def _advance(self) -> None:
        """One step."""
        if not self._running:
            return
        self._step += 1
        if self._step % _EXPIRE_STEPS == 0:
            self._room.expire(self._pace.seconds_per_token)
        self._decide()
        begun = self._prefill.reading if self._prefill is not None else None
        for sequence in self._running:
            if sequence.reading and sequence is not begun:
                self._room.catch_up(sequence)
        readers = [sequence.reader() for sequence in self._running if sequence.undecided is None]
        writing = {reader.key: 1 for reader in writers(readers, self._step)}
        ending = sum(0 < reader.unread <= TILE for reader in readers)
        reading = readings(
            readers,
            self._step,
            self._pace.tokens(len(writing), ending),
            self._pace.seconds_per_token,
            longest=LONGEST_INSIDE if self._prefill is not None else math.inf,
            begun=begun.id if begun is not None else None,
        )
        started = time.monotonic()
        self._decode_all({**writing, **reading.inside})
        if writing and not reading.inside:
            self._pace.learn_writing(time.monotonic() - started)
        beside = next((sequence for sequence in self._running if sequence.id == reading.beside), None)
        if self._prefill is not None and beside is not None:
            self._read_beside(self._prefill, beside)

    def _decide(self) -> None:
        """Goes on with those whose grammars have answered; waits a moment for one if there is nothing else to do."""
        undecided = [(each, each.undecided) for each in self._running if each.undecided is not None]
        seconds = _UNDECIDED_SECONDS if len(undecided) == len(self._running) else 0.0
        for sequence, logits in undecided:
            if sequence.sampler.decided(seconds):
                self._settle(sequence, partial(self._choice.decide, sequence, logits))
                seconds = 0.0

    def _read_beside(self, prefill: Prefill, sequence: Sequence) -> None:
        """Lets a long prompt be read until the streams are to get a token, or somebody comes who cannot wait."""
        if prefill.reading is None:
            sequence.started = sequence.started or time.monotonic()
            if prefill.begin(sequence) is not Outcome.DONE:
                self._give_up(sequence)
                return
        self._streams = any(not other.reading for other in self._running)
        if not prefill.run(self._pace.beside() if self._streams else READING_SECONDS):
            return
        self._room.make(prefill.tokens, self._running)
        piece, outcome = prefill.end(sequence)
        self._decodes += 1
        if outcome is not Outcome.DONE:
            self._give_up(sequence)
            return
        self._pace.learn(len(piece.tokens), prefill.seconds)
        sequence.position += len(piece.tokens)
        self._room.publish(sequence)
        if piece.output:
            self._write(sequence, prefill.logits())

    def _decode_all(self, counts: Mapping[int, int]) -> None:
        """Decodes so many tokens of sequences, by their numbers."""
        chosen = [sequence for sequence in self._running if sequence.id in counts]
        if chosen:
            self._decode(chosen, [s.next_piece(s.id, counts[s.id]) for s in chosen])

    def _decode(self, chosen: Items[Sequence], pieces: Items[Piece]) -> None:
        tokens = sum(len(piece.tokens) for piece in pieces)
        padding = self._pace.padding(tokens) if self._model.keeps_positions else 0
        if not self._room.make(tokens + padding, self._running):
            padding = 0
        started = time.monotonic()
        for sequence in chosen:
            sequence.started = sequence.started or started
        outcome = self._compute(chosen, pieces, padding)
        if outcome is Outcome.DONE:
            self._pace.learn(tokens, time.monotonic() - started)
            self._room.age(tokens)
            self._take(chosen, pieces)
            return
        for piece in pieces:
            self._context.remove(piece.sequence, piece.position)
        if outcome is Outcome.ABORTED:
            return
        if len(chosen) == 1:
            self._give_up(chosen[0])
            return
        # One of them is at fault: the others must not pay for it.
        for sequence, piece in zip(chosen, pieces, strict=True):
            self._decode([sequence], [piece])

    def _compute(self, chosen: Items[Sequence], pieces: Items[Piece], padding: int) -> Outcome:
        with self._alone_lock:
            self._alone = chosen[0] if len(chosen) == 1 else None
            if self._alone is not None and self._alone.cancellation.cancelled:
                return Outcome.ABORTED
        outcome = self._context.decode(pieces, padding)
        with self._alone_lock:
            self._alone = None
            if not self._closing:
                self._context.allow()
        self._decodes += 1
        return outcome

    def _take(self, chosen: Items[Sequence], pieces: Items[Piece]) -> None:
        """Notes what was read, and chooses the tokens that follow."""
        output = -1
        for sequence, piece in zip(chosen, pieces, strict=True):
            output += len(piece.tokens)
            was_reading = sequence.reading
            sequence.position += len(piece.tokens)
            if was_reading:
                self._room.publish(sequence)
            if piece.output:
                self._write(sequence, self._context.logits(output))

    def _write(self, sequence: Sequence, logits: Logits) -> None:
        self._settle(sequence, partial(self._choice.write, sequence, logits))

    def _settle(self, sequence: Sequence, choose: Callable[[], FinishReason | None]) -> None:
        try:
            reason = choose()
        except ServingError as error:
            self._leave(sequence)
            sequence.end(error)
            return
        if reason is not None:
            self._leave(sequence)
            sequence.finish(reason, time.monotonic())

    def _leave(self, sequence: Sequence) -> None:
        if self._prefill is not None:
            self._prefill.forget(sequence)
        self._room.leave(sequence)
        self._running.remove(sequence)

    def _give_up(self, sequence: Sequence) -> None:
        self._leave(sequence)
        self._fail(sequence, "llama.cpp could not compute this request: send another")

    def _fail(self, sequence: Sequence, message: str) -> None:
        sequence.end(EngineFailedError(message))

    def _start_over(self) -> None:
        for sequence in self._running:
            if self._prefill is not None:
                self._prefill.forget(sequence)
            self._fail(sequence, "internal error: see the server's log")
        self._running.clear()
        self._context.clear()
        self._room = self._empty_room()

    def _empty_room(self) -> Room:
        first = self._context.first_free_sequence
        prefixes = range(first, MOST_SEQUENCES if self._model.keeps_positions else first)
        look = _LOOK_SECONDS * self._model.shared_heads / self._context.size.threads
        return Room(self._context, self._context.size.cells, self._places, prefixes, look)


def _out_of_time(sequence: Sequence, now: float) -> bool:
    request = sequence.request
    if sequence.started is None:
        return False
    if sequence.first is None:
        return now - sequence.started >= (request.prefill_seconds or math.inf)
    return now - sequence.first >= (request.decode_seconds or math.inf)
