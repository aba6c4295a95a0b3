"""GGUF files of the llama architecture, for all models that are made here."""

import hashlib
import os
import tempfile
from collections.abc import Callable, Container, Sequence
from pathlib import Path
from typing import Protocol

from gguf import GGUFWriter, LlamaFileType, TokenType

EPSILON = 1e-5
"""Of the RMS norms."""

ROPE_BASE = 10_000.0
"""Of the rotary positions."""


class Size(Protocol):
    """The size of a llama model; see the shapes of the models."""

    @property
    def context(self) -> int:
        """Tokens it takes."""

    @property
    def width(self) -> int:
        """Numbers that stand for a token between layers."""

    @property
    def layers(self) -> int:
        """How many layers."""

    @property
    def feed_forward(self) -> int:
        """Width inside of the feed-forward part."""

    @property
    def heads(self) -> int:
        """Attention heads."""


def describe(
    writer: GGUFWriter,
    name: str,
    description: str,
    size: Size,
    shared_heads: int,
    *,
    file_type: LlamaFileType = LlamaFileType.MOSTLY_F16,
) -> None:
    """Writes a model's size.

    Args:
        writer: of the file.
        name: of the model.
        description: in words.
        size: of the model.
        shared_heads: heads of keys and values.
        file_type: of the matrices.
    """
    writer.add_name(name)
    writer.add_description(description)
    writer.add_file_type(file_type)
    writer.add_context_length(size.context)
    writer.add_embedding_length(size.width)
    writer.add_block_count(size.layers)
    writer.add_feed_forward_length(size.feed_forward)
    writer.add_head_count(size.heads)
    writer.add_head_count_kv(shared_heads)
    writer.add_rope_dimension_count(size.width // size.heads)
    writer.add_rope_freq_base(ROPE_BASE)
    writer.add_layer_norm_rms_eps(EPSILON)


def describe_byte_pairs(
    writer: GGUFWriter, pre: str, tokens: Sequence[str], merges: Sequence[str], special: Container[str]
) -> None:
    """Writes a byte-level BPE vocabulary, GPT-2's kind.

    Args:
        writer: of the file.
        pre: llama.cpp's name for what cuts texts beforehand.
        tokens: in order of their ids.
        merges: in order of their ranks, each two pieces with a space between.
        special: those of the tokens that stand for no text.
    """
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre(pre)
    writer.add_vocab_size(len(tokens))
    writer.add_token_list(tokens)
    writer.add_token_types([TokenType.CONTROL if token in special else TokenType.NORMAL for token in tokens])
    writer.add_token_merges(merges)


def layer_sizes(size: Size, shared_heads: int) -> dict[str, tuple[int, ...]]:
    """The sizes of a layer's tensors by their names in a layer, matrices as (outputs, inputs)."""
    width, inner, shared = size.width, size.feed_forward, size.width // size.heads * shared_heads
    return {
        "attn_norm": (width,),
        "attn_q": (width, width),
        "attn_k": (shared, width),
        "attn_v": (shared, width),
        "attn_output": (width, width),
        "ffn_norm": (width,),
        "ffn_gate": (inner, width),
        "ffn_up": (inner, width),
        "ffn_down": (width, inner),
    }


def write(path: Path, fill: Callable[[GGUFWriter], None]) -> str:
    """Writes a file; it appears when it is complete.

    Args:
        path: where to; its folder is made if need be.
        fill: adds keys and tensors.

    Returns:
        The file's SHA-256 in hexadecimal digits.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    os.close(handle)
    part = Path(name)
    try:
        writer = GGUFWriter(part, "llama")
        fill(writer)
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
        writer.close()
        digest = hashlib.sha256(part.read_bytes()).hexdigest()
        part.chmod(0o644)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    return digest
