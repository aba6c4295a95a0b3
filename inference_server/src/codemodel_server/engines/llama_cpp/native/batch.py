"""What a decode is given, in llama.cpp's form."""

import ctypes
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from codemodel_server.engines.llama_cpp.native.binding import llama_cpp

Tokens = npt.NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a decode: tokens of one sequence, one after another.

    Attributes:
        sequence: its number, below the context's outputs.
        position: of the first token.
        tokens: shape (n,).
        output: whether the token after the last one is to be chosen.
    """

    sequence: int
    position: int
    tokens: Tokens
    output: bool


class Batch:
    """llama.cpp's batch, filled through arrays that lie over its memory.

    Args:
        size: most tokens.
    """

    def __init__(self, size: int) -> None:
        self._tokens = np.zeros(size, np.int32)
        self._positions = np.zeros(size, np.int32)
        self._sequences = np.zeros(size, np.int32)
        self._outputs = np.zeros(size, np.int8)
        self._ones = np.ones(size, np.int32)
        step = self._sequences.itemsize
        first = self._sequences.ctypes.data
        self._addresses = np.arange(first, first + size * step, step, dtype=np.uintp)
        native = llama_cpp.llama_batch()
        fields = dict(llama_cpp.llama_batch._fields_)
        for name, array in (
            ("token", self._tokens),
            ("pos", self._positions),
            ("n_seq_id", self._ones),
            ("seq_id", self._addresses),
            ("logits", self._outputs),
        ):
            setattr(native, name, ctypes.cast(array.ctypes.data, fields[name]))
        self.native = native

    def fill(self, pieces: Sequence[Piece]) -> None:
        """Writes the pieces one behind the other."""
        at = 0
        for piece in pieces:
            end = at + len(piece.tokens)
            self._tokens[at:end] = piece.tokens
            self._positions[at:end] = np.arange(piece.position, piece.position + end - at)
            self._sequences[at:end] = piece.sequence
            self._outputs[at:end] = 0
            self._outputs[end - 1] = piece.output
            at = end
        self.native.n_tokens = at
