"""The memory that a replica of codemodel-server needs for a model, from the model's header alone."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from codemodel_delivery.gguf.header import Header
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

_BATCH = 512
_CELLS_MULTIPLE = 256  # llama_context pads n_ctx so
_RESERVED_SEQUENCES = 1  # the server keeps one for filling in, beside the parallel ones
_F32, _F16 = 4, 2
_TILE = 64  # GGML_FA_TILE_Q and GGML_FA_TILE_KV in ggml-cpu/common.h
# Measured: both processes of the server with Python, Flask and llama.cpp's library; 86 MiB after some requests.
_SERVER_BYTES = 96 << 20
# Measured while llama.cpp loads vocabularies of 32,000 to 256,000 tokens: 210 and 197; and the server's own tables.
_TOKEN_BYTES = 384
_MERGE_BYTES = 208
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
        compute=_graph(header, cells, outputs) + _logits(header, outputs) + _work(header, threads),
        beside=beside,
        reclaimable=sum(tensor.size for tensor in copied),
    )


def usable_context(header: Header, context_length: int) -> int:
    """Tokens of a sequence: those that are asked for, or the model's own limit if that is known and lower."""
    return min(context_length, header.context_length or context_length)


def cell_count(header: Header, context_length: int, parallel: int) -> int:
    """Tokens that the attention memory is made for, all sequences together."""
    return math.ceil(usable_context(header, context_length) * parallel / _CELLS_MULTIPLE) * _CELLS_MULTIPLE


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


def _graph(header: Header, cells: int, outputs: int) -> int:
    """llama.cpp's compute buffer: what is alive at once while a batch goes through a layer.

    That is, a token, the widest of: gate, up and their product in the feed-forward part, each of its width, and four
    embeddings; queries, and what attention makes of them, and two embeddings; with experts, what each of them gives
    before it is summed up. Beside it the mask, 16 bits a cell and token, and logits. Fitted to what llama.cpp 0.3.36
    of llama-cpp-python reserves (graph_reserve in llama-context.cpp) for widths of 1024 and 2048, feed-forward parts
    of 0.5 to 5.5 times that, 0 to 8 experts: exact where the feed-forward part is wide, else up to 20 % above.
    """
    batch = min(_BATCH, cells)
    width = header.embedding_length
    experts = header.experts_used
    inner = max(header.feed_forward_length, experts * header.expert_feed_forward_length)
    numbers = max(3 * inner + 4 * width, 4 * _attention_width(header) + 2 * width)
    if experts:
        numbers = max(numbers, inner + (2 * experts + 4) * width)
    return batch * (_F32 * numbers + _F16 * cells) + _logits(header, outputs)


def _logits(header: Header, outputs: int) -> int:
    return outputs * header.vocabulary * _F32


def _work(header: Header, threads: int) -> int:
    """The threads' own memory (ggml_graph_plan in ggml-cpu.c): a product's inputs in 16 bits, or tiles of attention."""
    inner = max(header.feed_forward_length, header.experts_used * header.expert_feed_forward_length)
    widest = max(inner, header.embedding_length, _attention_width(header))
    tiles = _F32 * _TILE * 2 * (header.key_length + header.value_length + _TILE)
    return max(_BATCH * widest * _F16, threads * tiles)


def _attention_width(header: Header) -> int:
    return max(header.heads) * max(header.key_length, header.value_length)
