"""The memory that a replica of codemodel-server needs for a model, from the model's header alone."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from codemodel_delivery.gguf.compute import compute_memory
from codemodel_delivery.gguf.header import Header
from codemodel_delivery.gguf.room import contexts
from codemodel_delivery.gguf.tensors import Tensor
from codemodel_delivery.gguf.types import TENSOR_TYPES

X86_64: Mapping[str, int] = {"Q2_K": 84, "Q4_0": 18, "Q4_K": 144, "IQ4_NL": 18, "MXFP4": 17}
"""Types whose matrices llama.cpp copies into another order on AVX2 and AVX-512, and the bytes of a copied block.

Source: ggml_repack_get_optimal_repack_type in ggml/src/ggml-cpu/repack.cpp.
"""

AMX: Mapping[str, int] = {
    **X86_64, "Q4_1": 20, "Q8_0": 38, "Q4_K": 148, "Q5_K": 180, "Q6_K": 210, "IQ4_XS": 138,
}  # fmt: skip
"""The same on processors with AMX, where some blocks grow: get_row_size in ggml/src/ggml-cpu/amx/mmq.cpp."""

ANY_PROCESSOR: Mapping[str, int] = {**AMX, "Q1_0": 18}
"""All types that are copied anywhere, each with its largest block."""

_CELLS_MULTIPLE = 256  # llama_context pads n_ctx so
_RESERVED_SEQUENCES = 1  # the server keeps one for filling in, beside the parallel ones
# Measured: both processes of the server with Python, Flask and llama.cpp's library; 77 MiB after some requests.
_SERVER_BYTES = 80 << 20
# Measured after loading vocabularies of 4,096 to 151,936 tokens with as many merges: 280 for both, and for the server's
# own tables. Some more is needed while they are read, but not yet together with the weights.
_TOKEN_BYTES = 224
_MERGE_BYTES = 112
# Of a sequence whose next token is chosen: llama_token_data, 12 bytes, and what sorting takes.
_CANDIDATE_BYTES = 16


@dataclass(frozen=True, slots=True)
class Estimate:
    """Memory of one replica, in bytes.

    Attributes:
        weights: of the model: copies in another order, where llama.cpp makes such, and else pages of the file.
        kv: the attention memory, taken at the start.
        compute: what llama.cpp computes in.
        beside: Python, the HTTP server, the vocabulary.
        reclaimable: pages of the file that are read once, when they are copied. They are resident and count for a
            container until the kernel takes them back, which it does before it ends a process.
    """

    weights: int
    kv: int
    compute: int
    beside: int
    reclaimable: int

    @property
    def total(self) -> int:
        """What has to stay in memory: a container with this limit serves, and neither ends nor reads its disk."""
        return self.weights + self.kv + self.compute + self.beside


def required_memory(
    header: Header,
    context_length: int,
    parallel: int,
    *,
    kv_type: str = "f16",
    threads: int = 1,
    copies: Mapping[str, int] = ANY_PROCESSOR,
) -> Estimate:
    """The most that a replica takes, with all of its contexts full.

    Args:
        header: of the model.
        context_length: tokens of a sequence; the model's own limit if that is lower.
        parallel: sequences that are decoded together.
        kv_type: how keys and values are stored: a tensor type's name.
        threads: computing threads.
        copies: the types that the processor copies, and the bytes of a block then: X86_64, AMX, ANY_PROCESSOR.

    Raises:
        ValueError: no such kv_type.
    """
    cells = cell_count(header, context_length, parallel)
    outputs = parallel + _RESERVED_SEQUENCES
    beside = (
        _SERVER_BYTES
        + header.vocabulary * (_TOKEN_BYTES + outputs * _CANDIDATE_BYTES)
        + header.merges * _MERGE_BYTES
    )
    copied = [tensor for tensor in header.tensors if _is_copied(tensor, copies)]
    return Estimate(
        weights=_weights(header, copied, copies),
        kv=cells * bytes_per_cell(header, kv_type),
        compute=compute_memory(header, cells, outputs, threads),
        beside=beside,
        reclaimable=sum(tensor.size for tensor in copied),
    )


def usable_context(header: Header, context_length: int) -> int:
    """Tokens of a sequence: those that are asked for, or the model's own limit if that is known and lower."""
    return min(context_length, header.context_length or context_length)


def cell_count(header: Header, context_length: int, parallel: int) -> int:
    """Tokens that attention memory is made for, all sequences together, and for reading beside them."""
    wanted = usable_context(header, context_length) * contexts(parallel)
    return math.ceil(wanted / _CELLS_MULTIPLE) * _CELLS_MULTIPLE


def bytes_per_cell(header: Header, kv_type: str = "f16") -> int:
    """What a token takes in attention memory: a key and a value for each head of these in each layer.

    Source: llama_kv_cache in llama-kv-cache.cpp. For layers that attend to the last tokens only, it is too much; of
    recurrent layers the state, some MiB a sequence, is not counted.

    Raises:
        ValueError: no such kv_type.
    """
    kinds = {kind.name.lower(): kind for kind in TENSOR_TYPES.values()}
    if kv_type.lower() not in kinds:
        raise ValueError(f"there is no type {kv_type!r} for keys and values: use f16 or q8_0")
    kind = kinds[kv_type.lower()]
    return sum(
        math.ceil(heads * length / kind.numbers) * kind.size
        for heads in header.kv_heads
        for length in (header.key_length, header.value_length)
    )


def _is_copied(tensor: Tensor, copies: Mapping[str, int]) -> bool:
    """Whether llama.cpp multiplies by it in another order of its numbers; it looks tokens up in the file's."""
    return tensor.kind.name in copies and len(tensor.shape) > 1 and tensor.name != "token_embd.weight"


def _weights(header: Header, copied: list[Tensor], copies: Mapping[str, int]) -> int:
    grown = sum(_copy_size(tensor, copies) - tensor.size for tensor in copied)
    by_name = {tensor.name: tensor for tensor in header.tensors}
    embedding = by_name.get("token_embd.weight")
    # A model that gives no matrix for its output uses the one that tokens are looked up in; copied, it is there twice.
    if embedding is not None and "output.weight" not in by_name and embedding.kind.name in copies:
        grown += _copy_size(embedding, copies)
    return header.weight_bytes + grown


def _copy_size(tensor: Tensor, copies: Mapping[str, int]) -> int:
    return tensor.numbers // tensor.kind.numbers * copies[tensor.kind.name]
