"""A GGUF model's header: what the model is, and where its tensors lie.

The format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
"""

from dataclasses import dataclass

from codemodel_delivery.gguf.errors import NotAModel, UnsupportedModel
from codemodel_delivery.gguf.metadata import Metadata
from codemodel_delivery.gguf.tensors import Tensor, commonest_type, read_tensor
from codemodel_delivery.gguf.types import FILE_TYPES
from codemodel_delivery.gguf.values import AGAIN, Read, Values

_MAGIC = b"GGUF"
_VERSIONS = (2, 3)
_DEFAULT_ALIGNMENT = 32
_GUESSED = 1024  # LLAMA_FTYPE_GUESSED: the file does not say
_MOST_KEYS = 1 << 16
_MOST_TENSORS = 1 << 16
_MOST_LAYERS = 1 << 12


@dataclass(frozen=True, slots=True)
class Header:
    """What a model's file says of it.

    Attributes:
        architecture: for example "llama".
        name: of the model; empty if the file gives none.
        quantization: for example "Q4_K_M".
        context_length: tokens that it was trained for; 0 if the file does not say.
        embedding_length: numbers that stand for a token between layers.
        block_count: layers.
        feed_forward_length: the largest width inside of a layer's feed-forward part; 0 if the file does not say.
        expert_feed_forward_length: the same of one expert; 0 without experts.
        experts_used: experts that a token goes through; 0 without experts.
        heads: attention heads of each layer.
        kv_heads: heads of keys and values of each layer; 0 where a layer has no attention.
        key_length: numbers of a head's key.
        value_length: numbers of a head's value.
        vocabulary: tokens.
        merges: pairs that the tokenizer joins; 0 if it does not work so.
        tensors: in the file's order.
        data_offset: where the tensors' data begins, in bytes.
        size: of the file, in bytes.
    """

    architecture: str
    name: str
    quantization: str
    context_length: int
    embedding_length: int
    block_count: int
    feed_forward_length: int
    expert_feed_forward_length: int
    experts_used: int
    heads: tuple[int, ...]
    kv_heads: tuple[int, ...]
    key_length: int
    value_length: int
    vocabulary: int
    merges: int
    tensors: tuple[Tensor, ...]
    data_offset: int
    size: int

    @property
    def parameters(self) -> int:
        """Number of weights."""
        return sum(tensor.numbers for tensor in self.tensors)

    @property
    def weight_bytes(self) -> int:
        """Bytes of all weights."""
        return sum(tensor.size for tensor in self.tensors)


def read_header(read: Read, size: int) -> Header:
    """Reads a model's header, a few MiB at the file's beginning, whatever its lengths say.

    Args:
        read: gives bytes of the file, mostly in blocks of 256 KiB one after another.
        size: of the file, in bytes.

    Raises:
        NotAModel: it is no GGUF file, damaged, or shorter than its tensors.
        UnsupportedModel: it is of a version, byte order, type or architecture that is not served.
    """
    values = Values(read, size)
    tensor_count, key_count = _read_start(values, size)
    metadata = Metadata(values, key_count)
    places = [read_tensor(values) for _ in range(tensor_count)]
    alignment = metadata.number("general.alignment", _DEFAULT_ALIGNMENT)
    if alignment == 0 or alignment & alignment - 1:
        raise NotAModel(f"general.alignment is {alignment}, which is no power of two: {AGAIN}")
    data_offset = -(-values.position // alignment) * alignment
    end = max((data_offset + offset + tensor.size for tensor, offset in places), default=0)
    if end > size:
        raise NotAModel(
            f"the file is truncated: it has {size} bytes, and its tensors need {end}: download the model again"
        )
    return _describe(metadata, tuple(tensor for tensor, _ in places), data_offset, size)


def _read_start(values: Values, size: int) -> tuple[int, int]:
    """Magic number and version; returns how many tensors and keys there are."""
    if size < len(_MAGIC) or values.take(len(_MAGIC)) != _MAGIC:
        raise NotAModel("it does not begin with GGUF: give the URL of a GGUF model's file itself")
    version = values.u32()
    if version not in _VERSIONS:
        if version & 0xFFFF == 0:
            raise UnsupportedModel("its numbers are big-endian: convert the model for little-endian machines")
        raise UnsupportedModel(f"it is of GGUF version {version}: convert the model to version 3")
    tensor_count, key_count = values.u64(), values.u64()
    if tensor_count > _MOST_TENSORS or key_count > _MOST_KEYS:
        raise NotAModel(f"its header counts {tensor_count} tensors and {key_count} keys: {AGAIN}")
    return tensor_count, key_count


def _describe(metadata: Metadata, tensors: tuple[Tensor, ...], data_offset: int, size: int) -> Header:
    architecture = metadata.text("general.architecture")
    if not architecture:
        raise NotAModel("the header names no architecture: give the URL of a language model in GGUF")
    if not tensors:
        raise NotAModel("the file has no tensors, only a vocabulary: give the URL of a whole model")
    if metadata.number("split.count", 0) > 1:
        raise UnsupportedModel(
            "the model is split into several files: merge them with llama-gguf-split --merge"
        )

    def number(key: str, default: int | None = None) -> int:
        return metadata.number(f"{architecture}.{key}", default)

    layers = number("block_count")
    width = number("embedding_length")
    if not 0 < layers <= _MOST_LAYERS or not width:
        raise NotAModel(f"the header gives {layers} layers of width {width}: {AGAIN}")
    heads = metadata.each_layer(f"{architecture}.attention.head_count", layers)
    whole = width // max(1, *heads)
    feed_forward = max(metadata.each_layer(f"{architecture}.feed_forward_length", layers, (0,)))
    experts_used = number("expert_used_count", 0)
    return Header(
        architecture=architecture,
        name=metadata.text("general.name"),
        quantization=FILE_TYPES.get(metadata.number("general.file_type", _GUESSED))
        or commonest_type(tensors),
        context_length=number("context_length", 0),
        embedding_length=width,
        block_count=layers,
        feed_forward_length=feed_forward,
        expert_feed_forward_length=number("expert_feed_forward_length", feed_forward) if experts_used else 0,
        experts_used=experts_used,
        heads=heads,
        kv_heads=metadata.each_layer(f"{architecture}.attention.head_count_kv", layers, heads),
        key_length=number("attention.key_length", whole),
        value_length=number("attention.value_length", whole),
        vocabulary=metadata.count("tokenizer.ggml.tokens") or number("vocab_size", 0),
        merges=metadata.count("tokenizer.ggml.merges"),
        tensors=tensors,
        data_offset=data_offset,
        size=size,
    )
