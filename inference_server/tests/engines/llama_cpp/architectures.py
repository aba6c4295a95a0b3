"""Models of other architectures, made of a llama's weights: their tensors and keys as llama-model.cpp has them.

Qwen2 is a llama with biases on queries, keys and values; the small Qwen2.5-Coders give no matrix for the output.
StarCoder2 has a plain feed-forward part instead of a gated one, layers that are normalised with a mean, and a bias at
every matrix.
"""

import itertools
import string
from pathlib import Path

import numpy as np
from gguf import GGUFReader, GGUFValueType, GGUFWriter, ReaderTensor, TokenType

from inference_server.benchmarks import model
from models.sample_model import tokenizer

Vector = np.ndarray[tuple[int, ...], np.dtype[np.float32]]

_BIASED = {
    "qwen2": ("attn_q", "attn_k", "attn_v"),
    "starcoder2": (
        "attn_norm", "attn_q", "attn_k", "attn_v", "attn_output", "ffn_norm", "ffn_up", "ffn_down", "output_norm",
    ),
}  # fmt: skip
_WITHOUT = {"qwen2": ("output",), "starcoder2": ("ffn_gate",)}
_PRE_TOKENIZER = {"qwen2": "qwen2", "starcoder2": "starcoder"}
_NORMS = {"starcoder2": {"llama.attention.layer_norm_rms_epsilon": "starcoder2.attention.layer_norm_epsilon"}}


def byte_pairs(size: int) -> tuple[model.Vocabulary, list[str]]:
    """A byte-level BPE vocabulary of so many tokens, as both architectures have it, and its merges.

    It has the special tokens, all bytes, and the first words of two, three and four letters, which are not learnt.
    """
    count = size - 256 - len(tokenizer.SPECIAL)
    words = (
        letters
        for length in (2, 3, 4)
        for letters in itertools.product(string.ascii_lowercase, repeat=length)
    )
    merges = [f"{''.join(letters[:-1])} {letters[-1]}" for letters in itertools.islice(words, count)]
    tokens = tokenizer.vocabulary(merges)
    kinds = [TokenType.CONTROL] * len(tokenizer.SPECIAL) + [TokenType.NORMAL] * (
        size - len(tokenizer.SPECIAL)
    )
    return model.Vocabulary(tokens, [0.0] * size, [int(kind) for kind in kinds]), merges


def convert(llama: Path, target: Path, architecture: str, merges: list[str]) -> None:
    """Writes a llama's file as one of another architecture.

    Args:
        llama: its file, with a vocabulary that `byte_pairs` gave.
        target: the file to write.
        architecture: "qwen2" or "starcoder2".
        merges: what `byte_pairs` gave, too.
    """
    reader = GGUFReader(llama)
    writer = GGUFWriter(target, architecture)
    _copy_keys(reader, writer, architecture)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre(_PRE_TOKENIZER[architecture])
    writer.add_token_merges(merges)
    for tensor in reader.tensors:
        part = tensor.name.removesuffix(".weight").rpartition(".")[2]
        if part not in _WITHOUT[architecture]:
            writer.add_tensor(tensor.name, tensor.data, raw_dtype=tensor.tensor_type)
        if part in _BIASED[architecture]:
            writer.add_tensor(tensor.name.removesuffix(".weight") + ".bias", _bias(tensor))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def _copy_keys(reader: GGUFReader, writer: GGUFWriter, architecture: str) -> None:
    for name, field in reader.fields.items():
        if not name.startswith(
            ("GGUF.", "general.architecture", "tokenizer.ggml.model", "tokenizer.ggml.pre")
        ):
            key = _NORMS.get(architecture, {}).get(name) or name.replace("llama.", f"{architecture}.", 1)
            kind = field.types[0]
            inner = field.types[-1] if kind == GGUFValueType.ARRAY else None
            writer.add_key_value(key, field.contents(), kind, inner)


def _bias(tensor: ReaderTensor) -> Vector:
    """Of the matrix's outputs; its shape begins with the inputs."""
    return np.full(int(tensor.shape[-1]), 1 / 64, np.float32)
