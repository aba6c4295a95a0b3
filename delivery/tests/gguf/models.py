"""GGUF files: whole small ones by the gguf package, and pieces of the format for broken ones."""

import struct
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from gguf import GGMLQuantizationType, GGUFWriter, quant_shape_to_byte_shape

from codemodel_delivery.gguf.header import Header, read_header

WIDTH, LAYERS, HEADS, INNER = 256, 2, 8, 512
TOKENS = [f"▁token{index}" for index in range(300)]
STRING, ARRAY, U8, U32 = 8, 9, 0, 4


def model(
    *,
    kv_heads: int | Sequence[int] = 2,
    kind: GGMLQuantizationType = GGMLQuantizationType.F16,
    tokens: Sequence[str] = TOKENS,
    numbers: Mapping[str, int] | None = None,
    file_type: int | None = None,
    tied: bool = False,
    layers: int = LAYERS,
) -> bytes:
    """A llama's file, its weights zeros.

    Args:
        kv_heads: of all layers, or of each.
        kind: of all matrices.
        tokens: the vocabulary.
        numbers: further metadata.
        file_type: general.file_type.
        tied: without a matrix for the output.
        layers: how many the header names; there are tensors for two.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.gguf"
        writer = GGUFWriter(path, "llama")
        writer.add_name("tiny")
        if file_type is not None:
            writer.add_file_type(file_type)
        writer.add_context_length(2048)
        writer.add_embedding_length(WIDTH)
        writer.add_block_count(layers)
        writer.add_feed_forward_length(INNER)
        writer.add_head_count(HEADS)
        writer.add_head_count_kv(kv_heads)
        writer.add_tokenizer_model("llama")
        writer.add_token_list(tokens)
        writer.add_token_scores([0.0] * len(tokens))
        for key, value in (numbers or {}).items():
            writer.add_uint32(key, value)
        _add_tensors(writer, kind, len(tokens), tied=tied)
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
        writer.close()
        return path.read_bytes()


def _add_tensors(writer: GGUFWriter, kind: GGMLQuantizationType, tokens: int, *, tied: bool) -> None:
    def matrix(name: str, rows: int, columns: int) -> None:
        dtype, shape = np.dtype(np.uint8), quant_shape_to_byte_shape((rows, columns), kind)
        writer.add_tensor(name, np.zeros(shape, dtype), raw_dtype=kind)

    matrix("token_embd.weight", tokens, WIDTH)
    for layer in range(LAYERS):
        writer.add_tensor(f"blk.{layer}.attn_norm.weight", np.ones(WIDTH, np.float32))
        matrix(f"blk.{layer}.attn_q.weight", WIDTH, WIDTH)
        matrix(f"blk.{layer}.ffn_down.weight", WIDTH, INNER)
    if not tied:
        matrix("output.weight", tokens, WIDTH)


def header_of(content: bytes, size: int | None = None) -> Header:
    """Reads the header of a file, by the length that it is said to have."""
    return read_header(
        lambda offset, length: content[offset : offset + length], len(content) if size is None else size
    )


def text(value: str) -> bytes:
    """A string as the format has it."""
    return struct.pack("<Q", len(value.encode())) + value.encode()


def pair(key: str, kind: int, value: bytes) -> bytes:
    """A key and its value."""
    return text(key) + struct.pack("<I", kind) + value


def array(kind: int, count: int, values: bytes = b"") -> bytes:
    """An array, whatever its count says."""
    return struct.pack("<IQ", kind, count) + values


def file(
    *pairs: bytes, tensors: Sequence[bytes] = (), version: int = 3, counts: tuple[int, int] | None = None
) -> bytes:
    """A file of these pieces; `counts` are what it says of its tensors and pairs."""
    counted = counts or (len(tensors), len(pairs))
    return b"GGUF" + struct.pack("<IQQ", version, *counted) + b"".join(pairs) + b"".join(tensors)


def tensor(name: str, shape: Sequence[int], kind: int = 0, offset: int = 0) -> bytes:
    """A tensor's description."""
    dimensions = struct.pack(f"<I{len(shape)}Q", len(shape), *shape)
    return text(name) + dimensions + struct.pack("<IQ", kind, offset)
