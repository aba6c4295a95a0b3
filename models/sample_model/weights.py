"""The sample model's weights: integers of a fixed random stream, scaled by a power of two.

Such numbers are exact in 16 bits, so that no machine rounds them differently.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from models import llama

Array = npt.NDArray[np.float16] | npt.NDArray[np.float32]

_SEED = 20260101
# Integers of 8 bits become numbers from -1/4 to 1/4: products of the model's width keep the size of what they multiply.
_SCALE = 2.0**-9


@dataclass(frozen=True, slots=True)
class Shape:
    """The size of a llama model.

    Deep and narrow by default: a token costs some milliseconds of one core, as much as in a model of many times the
    size, so that load on it is felt.

    Attributes:
        width: numbers that stand for a token between layers.
        heads: attention heads of width / heads numbers each.
        feed_forward: width inside of the feed-forward part.
        layers: how many layers.
        context: tokens it takes.
    """

    width: int = 96
    heads: int = 3
    feed_forward: int = 288
    layers: int = 40
    context: int = 4096


def tensors(shape: Shape, vocabulary_size: int, silent: list[int]) -> Iterator[tuple[str, Array]]:
    """All tensors by the names that GGUF gives them, matrices as (outputs, inputs).

    Args:
        shape: the model's size.
        vocabulary_size: number of tokens.
        silent: ids of tokens that are never the likeliest: their row in the output matrix is zero.
    """
    stream = np.random.PCG64(_SEED)
    ones = np.ones(shape.width, dtype=np.float32)
    yield "token_embd.weight", _matrix(stream, vocabulary_size, shape.width)
    for layer in range(shape.layers):
        for name, size in llama.layer_sizes(shape, shape.heads).items():
            yield f"blk.{layer}.{name}.weight", ones if len(size) == 1 else _matrix(stream, *size)
    yield "output_norm.weight", ones
    head = _matrix(stream, vocabulary_size, shape.width)
    head[silent] = 0
    yield "output.weight", head


def _matrix(stream: np.random.PCG64, rows: int, columns: int) -> npt.NDArray[np.float16]:
    words = stream.random_raw(rows * columns // 8).astype("<u8")
    integers = np.frombuffer(words.tobytes(), dtype=np.int8)
    return (integers.astype(np.float32) * np.float32(_SCALE)).astype(np.float16).reshape(rows, columns)
