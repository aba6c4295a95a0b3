"""Puts weights and tokenizer into a GGUF file."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jax.numpy as jnp
from gguf import GGMLQuantizationType, GGUFReader, GGUFWriter, LlamaFileType, quants
from tokenizers import Tokenizer

from models import llama
from models.tiny_coder import tokens
from models.tiny_coder.holes import SUFFIX_FIRST
from models.tiny_coder.network import Matrix, Shape, Weights

NAME = "tiny-coder"
LICENSE = "PSF-2.0"
_DESCRIPTION = (
    "A small code model for trying out servers: it has learned from Python's standard library and from small "
    "exercises, and completes, fills in and answers for Python only. See its model card."
)
FORMATS = {
    "F16": (GGMLQuantizationType.F16, LlamaFileType.MOSTLY_F16),
    "Q8_0": (GGMLQuantizationType.Q8_0, LlamaFileType.MOSTLY_Q8_0),
}


def export(path: Path, weights: Mapping[str, Matrix], shape: Shape, tokenizer: Tokenizer, form: str) -> str:
    """Write the model; the file appears when it is complete.

    Args:
        path: where to.
        weights: of 32 bits, matrices as (outputs, inputs), by GGUF's names.
        shape: of the model.
        tokenizer: of the model.
        form: of the matrices, one of FORMATS; norms stay as they are.

    Returns:
        The file's SHA-256 in hexadecimal digits.
    """
    return llama.write(path, lambda writer: _fill(writer, weights, shape, tokenizer, form))


def _fill(
    writer: GGUFWriter, weights: Mapping[str, Matrix], shape: Shape, tokenizer: Tokenizer, form: str
) -> None:
    kind, file_type = FORMATS[form]
    llama.describe(writer, NAME, _DESCRIPTION, shape, shared_heads=shape.shared_heads, file_type=file_type)
    writer.add_license(LICENSE)
    writer.add_languages(["en"])
    writer.add_tags(["code", "python", "fill-in-the-middle"])
    _describe_tokenizer(writer, tokenizer)
    for name, values in weights.items():
        if values.ndim == 1:
            writer.add_tensor(name, values)
        else:
            writer.add_tensor(name, quants.quantize(values, kind), raw_dtype=kind)


def _describe_tokenizer(writer: GGUFWriter, tokenizer: Tokenizer) -> None:
    pieces, merges = tokens.pieces_of(tokenizer)
    llama.describe_byte_pairs(writer, tokens.PRE_TOKENIZER, pieces, merges, tokens.SPECIAL)
    end = tokens.SPECIAL.index(tokens.END_OF_TEXT)
    writer.add_bos_token_id(end)
    writer.add_eos_token_id(end)
    writer.add_eot_token_id(end)
    writer.add_add_bos_token(False)
    for key, token in (("pre", tokens.FIM_PREFIX), ("suf", tokens.FIM_SUFFIX), ("mid", tokens.FIM_MIDDLE)):
        writer.add_uint32(f"tokenizer.ggml.fim_{key}_token_id", tokens.SPECIAL.index(token))
    writer.add_string("codemodel.infill.order", SUFFIX_FIRST)
    writer.add_chat_template(tokens.CHAT_TEMPLATE)


def read(path: Path) -> tuple[Weights, Shape, Tokenizer]:
    """Return what a file has: the weights as numbers of 32 bits, as llama.cpp calculates with them."""
    reader = GGUFReader(path)

    def said(key: str) -> Any:
        return reader.fields[key].contents()

    weights = {
        tensor.name: jnp.asarray(quants.dequantize(tensor.data, tensor.tensor_type))
        for tensor in reader.tensors
    }
    pieces = said("tokenizer.ggml.tokens")
    shape = Shape(
        vocabulary=len(pieces),
        width=said("llama.embedding_length"),
        heads=said("llama.attention.head_count"),
        shared_heads=said("llama.attention.head_count_kv"),
        feed_forward=said("llama.feed_forward_length"),
        layers=said("llama.block_count"),
        context=said("llama.context_length"),
    )
    return weights, shape, tokens.of(pieces, said("tokenizer.ggml.merges"))
