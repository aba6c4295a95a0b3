"""A GGUF file's tensors: what they are made of, and where they lie."""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from codemodel_delivery.gguf.errors import NotAModel, UnsupportedModel
from codemodel_delivery.gguf.types import TENSOR_TYPES, TensorType
from codemodel_delivery.gguf.values import AGAIN, Values

_MOST_DIMENSIONS = 4  # GGML_MAX_DIMS
_LARGEST_TENSOR = 1 << 48


@dataclass(frozen=True, slots=True)
class Tensor:
    """A matrix of weights.

    Attributes:
        name: as in the file, for example "blk.0.attn_q.weight".
        kind: how its numbers are stored.
        shape: numbers in a row, rows, matrices, …, as in the file.
        size: bytes.
    """

    name: str
    kind: TensorType
    shape: tuple[int, ...]
    size: int

    @property
    def numbers(self) -> int:
        """How many it has."""
        return math.prod(self.shape)


def read_tensor(values: Values) -> tuple[Tensor, int]:
    """Reads a tensor's description, and its offset in the tensors' data in bytes.

    Raises:
        NotAModel: no tensor is so.
        UnsupportedModel: its numbers are of a type that is not known.
    """
    name = values.name()
    dimensions = values.u32()
    if dimensions > _MOST_DIMENSIONS:
        raise NotAModel(f"tensor {name[:64]!r} has {dimensions} dimensions: {AGAIN}")
    shape = tuple(values.u64() for _ in range(dimensions))
    number, offset = values.u32(), values.u64()
    kind = TENSOR_TYPES.get(number)
    if kind is None:
        raise UnsupportedModel(
            f"tensor {name[:64]!r} is of the unknown type {number}: use a common quantization, for example Q4_K_M"
        )
    numbers = math.prod(shape)
    if not 0 < numbers <= _LARGEST_TENSOR or (shape and shape[0] % kind.numbers):
        raise NotAModel(f"tensor {name[:64]!r} of type {kind.name} has the shape {shape}: {AGAIN}")
    return Tensor(name, kind, shape, numbers // kind.numbers * kind.size), offset


def commonest_type(tensors: Sequence[Tensor]) -> str:
    """The type that most of the tensors' bytes are of; there has to be one."""
    sizes: Counter[str] = Counter()
    for tensor in tensors:
        sizes[tensor.kind.name] += tensor.size
    return sizes.most_common(1)[0][0]
