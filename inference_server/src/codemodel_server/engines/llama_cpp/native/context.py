"""The attention memory of all sequences, and the call that extends it. One thread at a time, but for `abort`."""

import ctypes
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum

import numpy as np
import numpy.typing as npt

from codemodel_server.engines.llama_cpp.native import library
from codemodel_server.engines.llama_cpp.native.batch import Batch, Piece
from codemodel_server.engines.llama_cpp.native.binding import llama_cpp
from codemodel_server.engines.llama_cpp.native.model import NativeModel
from codemodel_server.errors import LoadError

MOST_SEQUENCES = 256
"""Sequences that llama.cpp can tell apart in one memory (LLAMA_MAX_SEQ in llama-cparams.h)."""

COPIED_AT_ONCE = 64
"""Cells that go into another context at a time: few, because they are in memory a third time meanwhile."""

_FLASH_ATTENTION_ON = 1  # LLAMA_FLASH_ATTN_TYPE_ENABLED in llama.h


class Outcome(Enum):
    """How a decode ended: what llama_decode returns, and FAILED for all that is less than 0 or unknown."""

    DONE = 0
    NO_ROOM = 1
    ABORTED = 2
    FAILED = -1


_STATUSES = {outcome.value for outcome in Outcome}


@dataclass(frozen=True, slots=True)
class ContextSize:
    """Tokens and threads of a context.

    Attributes:
        cells: tokens that it can hold, of all sequences together.
        batch: most tokens of one decode.
        outputs: most sequences that tokens are decoded for, and of one decode after which another is to be chosen.
        threads: computing threads.
    """

    cells: int
    batch: int
    outputs: int
    threads: int


class NativeContext:
    """One memory that all sequences share ("unified"): a prefix can belong to many of them without being copied.

    Raises:
        LoadError: there is not enough memory for it.
    """

    def __init__(self, model: NativeModel, size: ContextSize) -> None:
        self.size = size
        parameters = llama_cpp.llama_context_default_params()
        parameters.n_ctx = size.cells
        parameters.n_batch = parameters.n_ubatch = size.batch
        # One more sequence than is asked for, for what comes and goes at once: the padding, and cells under way.
        parameters.n_seq_max = parameters.n_outputs_max = size.outputs + 1
        parameters.n_outputs_max_per_seq = 1
        parameters.kv_unified = True
        parameters.flash_attn_type = _FLASH_ATTENTION_ON
        # Decodes of several tokens take their thread count from n_threads_batch.
        parameters.n_threads = parameters.n_threads_batch = size.threads
        # The callback is asked between the nodes of the graph, without Python's lock, so it has to be a function of
        # C: strlen of a text that is empty until `abort` writes a letter into it.
        self._flag = ctypes.create_string_buffer(2)
        parameters.abort_callback = ctypes.cast(ctypes.CDLL(None).strlen, llama_cpp.ggml_abort_callback)
        parameters.abort_callback_data = ctypes.cast(self._flag, ctypes.c_void_p)
        try:
            self._pointer = library.made(lambda: llama_cpp.llama_init_from_model(model.pointer, parameters))
        except library.NothingMadeError as error:
            message = f"llama.cpp cannot make a context of {size.cells} tokens: {error}: "
            raise LoadError(message + "lower the context length or give more memory") from error
        self._memory = llama_cpp.llama_get_memory(self._pointer)
        self._batch = Batch(size.batch)
        self._vocabulary = model.vocabulary_size

    @property
    def first_free_sequence(self) -> int:
        """The first number of a sequence that no token is ever decoded for, to keep what others have read."""
        return self.size.outputs + 1

    def decode(self, pieces: Sequence[Piece], padding: int = 0) -> Outcome:
        """Appends tokens to sequences, at most a batch of them.

        Unless it is DONE, some of the tokens may be in memory: `remove` them.

        Args:
            pieces: the tokens.
            padding: tokens to compute beside them, and to forget: llama.cpp computes some numbers of rows faster than
                smaller ones. They need as many cells meanwhile.
        """
        if padding:
            pieces = [*pieces, Piece(self.size.outputs, 0, np.zeros(padding, np.int32), output=False)]
        self._batch.fill(pieces)
        status = llama_cpp.llama_decode(self._pointer, self._batch.native)
        if padding:
            self.remove(self.size.outputs)
        return Outcome(status) if status in _STATUSES else Outcome.FAILED

    def abort(self) -> None:
        """Makes a decode under way, or else the next one, end at once; on any thread."""
        self._flag[0] = b"x"

    def allow(self) -> None:
        """Takes `abort` back."""
        self._flag[0] = b"\0"

    def logits(self, output: int) -> npt.NDArray[np.float32]:
        """The logits after a piece, shape (vocabulary,): a view that the next decode overwrites.

        Args:
            output: the index in the decode of the piece's last token.
        """
        pointer = llama_cpp.llama_get_logits_ith(self._pointer, output)
        return np.ctypeslib.as_array(pointer, shape=(self._vocabulary,))

    def share(self, source: int, target: int, begin: int, end: int) -> None:
        """Lets the cells of `source` at positions from `begin` to before `end` belong to `target`, too."""
        llama_cpp.llama_memory_seq_cp(self._memory, source, target, begin, end)

    def remove(self, sequence: int, begin: int = 0, end: int = -1) -> None:
        """Takes a sequence's cells away, from `begin` to before `end` (-1: all)."""
        llama_cpp.llama_memory_seq_rm(self._memory, sequence, begin, end)

    def ask(self, whether: Callable[[], bool]) -> None:
        """Lets a function be asked between the nodes of a decode's graph, on its thread, whether to end it.

        The computing threads stand still until it answers. It takes the place of `abort`.
        """
        self._asked = llama_cpp.ggml_abort_callback(lambda _data: whether())
        llama_cpp.llama_set_abort_callback(self._pointer, self._asked, None)

    def copy(self, source: int, begin: int, end: int, other: "NativeContext", target: int) -> bool:
        """Copies a sequence's cells at positions from `begin` to before `end` into another context of the model.

        Args:
            source: the sequence's number here.
            begin: first position.
            end: behind the last position.
            other: where to; it needs as many free cells.
            target: the sequence's number there, which has the cells before them.

        Returns:
            Whether there was room; if not, some of the cells may be there.
        """
        step = COPIED_AT_ONCE
        return all(
            self._copy(source, at, min(at + step, end), other, target) for at in range(begin, end, step)
        )

    def _copy(self, source: int, begin: int, end: int, other: "NativeContext", target: int) -> bool:
        mine, its = self.size.outputs, other.size.outputs
        self.share(source, mine, begin, end)
        state = np.empty(llama_cpp.llama_state_seq_get_size(self._pointer, mine), np.uint8)
        data = state.ctypes.data_as(ctypes.POINTER(ctypes.c_uint8))
        llama_cpp.llama_state_seq_get_data(self._pointer, data, state.nbytes, mine)
        self.remove(mine)
        copied = llama_cpp.llama_state_seq_set_data(other._pointer, data, state.nbytes, its)
        other.share(its, target, begin, end)
        other.remove(its)
        return bool(copied == state.nbytes)

    def clear(self) -> None:
        """Forgets all sequences."""
        llama_cpp.llama_memory_clear(self._memory, False)

    def close(self) -> None:
        """Frees the memory."""
        llama_cpp.llama_free(self._pointer)
