"""Long prompts, read in a context of their own, whose threads stand still while the streams get their tokens.

A decode cannot be left and taken up again, but llama.cpp asks between the nodes of its graph whether to go on, and its
threads wait for the answer. So a prompt is read in large parts, at the speed of large parts, and a token of the streams
still comes whenever it is due: nobody waits longer than a node takes.
"""

import threading
import time

import numpy as np

from codemodel_server.engines.llama_cpp.native.batch import Piece
from codemodel_server.engines.llama_cpp.native.context import ContextSize, NativeContext, Outcome
from codemodel_server.engines.llama_cpp.native.model import NativeModel
from codemodel_server.engines.llama_cpp.native.sampler import Logits
from codemodel_server.engines.llama_cpp.pace import part
from codemodel_server.engines.llama_cpp.sequence import Sequence

PART = 256
"""Tokens that are read at a time: no slower by the token than more, and a node of their graph takes half as long."""

_SEQUENCE = 0


class Prefill:
    """Reads a part of one prompt at a time. All but `wake` are called by the engine's thread.

    Args:
        model: what reads.
        main: the context that has to have the cells in the end.
        cells: tokens of the longest prompt.
        threads: computing threads.

    Raises:
        LoadError: there is not enough memory for it.
    """

    def __init__(self, model: NativeModel, main: NativeContext, cells: int, threads: int) -> None:
        self._main = main
        self._context = NativeContext(model, ContextSize(cells, min(PART, cells), 1, threads))
        self._context.ask(self._stand_if_asked)
        # Whose beginning is in the context, and how much of it.
        self._held: Sequence | None = None
        self._position = 0
        self._piece = Piece(_SEQUENCE, 0, np.zeros(0, np.int32), output=False)
        self._busy = False
        self._thread = threading.Thread()
        self._change = threading.Condition()
        self._goes = False
        self._stands = False
        self._dropped = False
        self._woken = False
        self._outcome: Outcome | None = None
        self.seconds = 0.0
        """How long the part has been computed, the time left out in which it stood still."""

    @property
    def reading(self) -> Sequence | None:
        """Whose prompt a part is being read of."""
        return self._held if self._busy else None

    @property
    def tokens(self) -> int:
        """Of the part that is being read."""
        return len(self._piece.tokens)

    def begin(self, sequence: Sequence) -> Outcome:
        """Begins to read the next part of a prompt; NO_ROOM if what comes before it cannot be copied.

        Whatever the sequence has in memory is in the main context: it is copied from there, unless it is here still.
        """
        if self._held is not sequence or self._position != sequence.position:
            self._context.clear()
            self._held, self._position = sequence, sequence.position
            if not self._main.copy(sequence.id, 0, sequence.position, self._context, _SEQUENCE):
                self._held = None
                return Outcome.NO_ROOM
        unread = len(sequence.prompt) - sequence.position
        self._piece = sequence.next_piece(_SEQUENCE, part(unread, self._context.size.batch))
        self._busy, self._outcome, self.seconds = True, None, 0.0
        # Threads that compute for OpenMP belong to the thread that began. Those of one that has ended do not count when
        # OpenMP decides whether threads had better sleep than wait for one another busily, as a lone decode's should.
        self._thread = threading.Thread(target=self._read, args=(self._piece,), name="prefill", daemon=True)
        self._thread.start()
        return Outcome.DONE

    def run(self, seconds: float) -> bool:
        """Lets the part be read for so long, and for what is left of a node then; `wake` ends it before.

        Returns:
            Whether the whole part is read, or cannot be: `end` tells.
        """
        with self._change:
            started = time.monotonic()
            self._goes = True
            self._change.notify_all()
            self._change.wait_for(lambda: self._outcome is not None or self._woken, seconds)
            self._goes = self._woken = False
            self._change.wait_for(lambda: self._outcome is not None or self._stands)
            self.seconds += time.monotonic() - started
            return self._outcome is not None

    def end(self, sequence: Sequence) -> tuple[Piece, Outcome]:
        """What was read, after `run` said that it was all, and how that ended; if DONE, the main context has it."""
        self._thread.join()
        self._busy = False
        piece, outcome = self._piece, self._outcome or Outcome.FAILED
        begin, self._position = piece.position, piece.position + len(piece.tokens)
        if outcome is Outcome.DONE and not self._context.copy(
            _SEQUENCE, begin, self._position, self._main, sequence.id
        ):
            outcome = Outcome.NO_ROOM
        if outcome is not Outcome.DONE:
            self._held = None
        return piece, outcome

    def logits(self) -> Logits:
        """The logits after the part that was read last, shape (vocabulary,): a view that the next one overwrites."""
        return self._context.logits(-1)

    def forget(self, sequence: Sequence) -> None:
        """Ends reading a sequence's prompt, and drops what is here of it."""
        if self._held is not sequence:
            return
        with self._change:
            self._dropped = True
            self._change.notify_all()
        if self._busy:
            self._thread.join()
        self._held, self._busy, self._dropped = None, False, False

    def wake(self) -> None:
        """Ends the `run` under way, or else the next one; on any thread."""
        with self._change:
            self._woken = True
            self._change.notify_all()

    def close(self) -> None:
        """Ends what is read, and frees the memory."""
        if self._held is not None:
            self.forget(self._held)
        self._context.close()

    def _read(self, piece: Piece) -> None:
        outcome = Outcome.FAILED
        try:
            outcome = self._context.decode([piece], 0)
        finally:
            with self._change:
                self._outcome = outcome
                self._change.notify_all()

    def _stand_if_asked(self) -> bool:
        """Asked by llama.cpp between two nodes: waits while this is not to be read; whether it is to be dropped."""
        if not self._goes:
            with self._change:
                self._stands = True
                self._change.notify_all()
                self._change.wait_for(lambda: self._goes or self._dropped)
                self._stands = False
        return self._dropped
