"""What a GGUF file of the llama architecture says of its size, for all models that are made here."""

from typing import Protocol

from gguf import GGUFWriter, LlamaFileType


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
    writer.add_rope_freq_base(10_000.0)
    writer.add_layer_norm_rms_eps(1e-5)
