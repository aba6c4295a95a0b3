"""Puts tokenizer and weights into a GGUF file."""

from pathlib import Path

from gguf import GGUFWriter

from models import llama
from models.sample_model import tokenizer
from models.sample_model.weights import Shape, tensors

# Of the file that `build` makes; a change of it is a change of what every cluster downloads.
SHA256 = "5a757acc828a4f3892a9fa38e0aff5b21471cdc2b772e578d5c29cc6f5cac414"
SHAPE = Shape()
_CHAT_TEMPLATE = (
    "{% for message in messages %}<|im_start|>{{ message.role }}\n{{ message.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)


def build(path: Path, shape: Shape = SHAPE) -> str:
    """Writes the model; the file appears when it is complete.

    Args:
        path: where to; its folder is made if need be.
        shape: its size, if not the usual one.

    Returns:
        The file's SHA-256 in hexadecimal digits.
    """
    return llama.write(path, lambda writer: _fill(writer, shape))


def _fill(writer: GGUFWriter, shape: Shape) -> None:
    description = "Random weights: for trying out servers, not for writing code."
    llama.describe(writer, "sample-coder", description, shape, shared_heads=shape.heads)
    merges = tokenizer.read_merges()
    tokens = tokenizer.vocabulary(merges)
    _describe_tokenizer(writer, tokens, merges)
    for name, values in tensors(shape, len(tokens), _unprintable(tokens)):
        writer.add_tensor(name, values)


def _describe_tokenizer(writer: GGUFWriter, tokens: list[str], merges: list[str]) -> None:
    # llama.cpp's name for the pre-tokenizer of GPT-2, the one that the merges were learnt with.
    llama.describe_byte_pairs(writer, "gpt-2", tokens, merges, tokenizer.SPECIAL)
    writer.add_bos_token_id(tokens.index(tokenizer.END_OF_TEXT))
    writer.add_eos_token_id(tokens.index(tokenizer.END_OF_TEXT))
    writer.add_eot_token_id(tokens.index(tokenizer.TURN_END))
    writer.add_pad_token_id(tokens.index(tokenizer.FIM_PAD))
    for key, token in (
        ("pre", tokenizer.FIM_PREFIX),
        ("suf", tokenizer.FIM_SUFFIX),
        ("mid", tokenizer.FIM_MIDDLE),
        ("pad", tokenizer.FIM_PAD),
    ):
        writer.add_uint32(f"tokenizer.ggml.fim_{key}_token_id", tokens.index(token))
    writer.add_add_bos_token(False)
    writer.add_chat_template(_CHAT_TEMPLATE)


def _unprintable(tokens: list[str]) -> list[int]:
    """Ids of the special tokens and of those that are not ASCII text: an answer of this model has neither."""
    bytes_of = {letter: byte for byte, letter in tokenizer.byte_letters().items()}

    def readable(token: str) -> bool:
        text = bytes(bytes_of[letter] for letter in token).decode("latin-1")
        return text.isascii() and (text.isprintable() or not text.strip(" \n"))

    return [index for index, token in enumerate(tokens) if token in tokenizer.SPECIAL or not readable(token)]
