"""The model that the servers are measured with: TinyLlama's shape and Llama 2's tokenizer, random weights, Q4_K_M.

A computer is as long at random weights as at learnt ones. What would make runs differ is silenced: tokens that end
an answer, and those that are no whole text, so that every stream gives all its tokens, one at a time.
"""

import ctypes
import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import llama_cpp
import numpy as np
import numpy.typing as npt
from gguf import GGUFReader, GGUFWriter, TokenType

from e2e.cluster import settings
from e2e.cluster.steps import Step, step
from inference_server.benchmarks import llama_server
from models import llama

Array = npt.NDArray[np.float16] | npt.NDArray[np.float32]

_SEED = 20260101
# Integers of 8 bits become numbers from -1/32 to 1/32: products of this width keep the size of what they multiply.
_SCALE = 2.0**-12
FILL_IN = {"pre": "▁<PRE>", "suf": "▁<SUF>", "mid": "▁<MID>"}
"""The tokens around a place that is to be filled in; Llama 2 has none, so the last of its vocabulary give way."""


@dataclass(frozen=True, slots=True)
class Shape:
    """The size of a llama model with grouped attention; TinyLlama's by default, of 1.1 billion numbers."""

    width: int = 2048
    layers: int = 22
    heads: int = 32
    shared_heads: int = 4
    feed_forward: int = 5632
    context: int = 32768


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """A SentencePiece vocabulary: for each token its text, its score and its kind."""

    tokens: Sequence[str]
    scores: Sequence[float]
    kinds: Sequence[int]

    def silent(self) -> list[int]:
        """Ids of tokens that are to be never the likeliest: special ones, single bytes, and what is not ASCII."""
        return [i for i, token in enumerate(self.tokens) if not self._is_text(i, token)]

    def words(self) -> list[str]:
        """Lower-case words that are one token each behind a space."""
        return [
            token[1:] for i, token in enumerate(self.tokens) if self._is_text(i, token) and _is_word(token)
        ]

    def _is_text(self, index: int, token: str) -> bool:
        return self.kinds[index] == TokenType.NORMAL and token.replace("▁", " ").isascii()


def _is_word(token: str) -> bool:
    return token[0] == "▁" and len(token) > 3 and token[1:].isalpha() and token.islower()


def read_vocabulary(path: Path) -> Vocabulary:
    """The vocabulary of a GGUF file, with the tokens of FILL_IN in the place of its last ones."""
    fields = GGUFReader(path).fields
    tokens, scores, kinds = (
        list(fields[f"tokenizer.ggml.{key}"].contents()) for key in ("tokens", "scores", "token_type")
    )
    for index, text in zip(_fill_in_ids(len(tokens)).values(), FILL_IN.values(), strict=True):
        tokens[index], scores[index], kinds[index] = text, 0.0, int(TokenType.CONTROL)
    return Vocabulary(tokens, scores, kinds)


def build(programs: Path) -> Path:
    """Makes the model if it is not there yet, and returns its file, of about 0.7 GB.

    Args:
        programs: the folder that `llama_server.build` returned.

    Raises:
        StepError: llama.cpp cannot quantize it.
    """
    sources = b"".join(Path(file).read_bytes() for file in (__file__, llama.__file__))
    content = sources + llama_server.version().encode()
    name = f"random-1b-{hashlib.sha256(content).hexdigest()[:16]}.gguf"
    done = settings.CACHE / "bench" / name
    if done.exists():
        return done
    partial, whole = done.with_suffix(".partial"), done.with_suffix(".f16")
    with step("Making a model of 1.1 billion random weights (once, about two minutes)") as current:
        try:
            write(whole, Shape(), read_vocabulary(programs / "vocabulary.gguf"))
            _quantize(current, whole, partial)
            partial.rename(done)
        finally:
            whole.unlink(missing_ok=True)
            partial.unlink(missing_ok=True)
    return done


def write(path: Path, shape: Shape, vocabulary: Vocabulary) -> None:
    """Writes the model in 16 bits."""
    writer = GGUFWriter(path, "llama")
    description = "Random weights: for measuring servers, not for writing code."
    llama.describe(writer, "random-1b", description, shape, shape.shared_heads)
    _describe_tokenizer(writer, vocabulary)
    silent = vocabulary.silent()
    sizes = list(_sizes(shape, len(vocabulary.tokens)))
    for name, size in sizes:
        dtype = np.dtype(np.float32 if len(size) == 1 else np.float16)
        writer.add_tensor_info(name, size, dtype, int(np.prod(size)) * dtype.itemsize)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_ti_data_to_file()
    stream = np.random.PCG64(_SEED)
    for name, size in sizes:
        values = _values(stream, size)
        if name == "output.weight":
            values[silent] = 0
        writer.write_tensor_data(values)
    writer.close()


def _sizes(shape: Shape, tokens: int) -> Iterator[tuple[str, tuple[int, ...]]]:
    """All tensors by the names that GGUF gives them, matrices as (outputs, inputs)."""
    yield "token_embd.weight", (tokens, shape.width)
    for layer in range(shape.layers):
        for name, size in llama.layer_sizes(shape, shape.shared_heads).items():
            yield f"blk.{layer}.{name}.weight", size
    yield "output_norm.weight", (shape.width,)
    yield "output.weight", (tokens, shape.width)


def _values(stream: np.random.PCG64, size: tuple[int, ...]) -> Array:
    if len(size) == 1:
        return np.ones(size, dtype=np.float32)
    words = np.asarray(stream.random_raw(int(np.prod(size)) // 8)).astype("<u8", copy=False)
    numbers = words.view(np.int8).astype(np.float32)
    numbers *= np.float32(_SCALE)
    return numbers.astype(np.float16).reshape(size)


def _fill_in_ids(tokens: int) -> dict[str, int]:
    return {key: tokens - len(FILL_IN) + index for index, key in enumerate(FILL_IN)}


def _describe_tokenizer(writer: GGUFWriter, vocabulary: Vocabulary) -> None:
    writer.add_tokenizer_model("llama")
    writer.add_tokenizer_pre("default")
    writer.add_vocab_size(len(vocabulary.tokens))
    writer.add_token_list(vocabulary.tokens)
    writer.add_token_scores(vocabulary.scores)
    writer.add_token_types(vocabulary.kinds)
    writer.add_unk_token_id(0)
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_add_bos_token(True)
    for key, index in _fill_in_ids(len(vocabulary.tokens)).items():
        writer.add_uint32(f"tokenizer.ggml.fim_{key}_token_id", index)


@llama_cpp.llama_log_callback  # type: ignore[untyped-decorator]
def _quiet(_level: int, _text: bytes, _data: ctypes.c_void_p) -> None:
    pass


def _quantize(current: Step, source: Path, target: Path) -> None:
    llama_cpp.llama_log_set(_quiet, ctypes.c_void_p(0))
    parameters = llama_cpp.llama_model_quantize_default_params()
    parameters.ftype = llama_cpp.LLAMA_FTYPE_MOSTLY_Q4_K_M
    if llama_cpp.llama_model_quantize(bytes(source), bytes(target), ctypes.byref(parameters)):
        raise current.error("llama.cpp could not quantize it", hint=f"is there room in {target.parent}?")
