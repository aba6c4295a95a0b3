"""The memory that llama.cpp computes in, from the model's header alone."""

from codemodel_delivery.gguf.header import Header

_BATCH = 512
_F32, _F16 = 4, 2
_TILE = 64  # GGML_FA_TILE_Q and GGML_FA_TILE_KV in ggml-cpu/common.h


def compute_memory(header: Header, cells: int, outputs: int, threads: int) -> int:
    """Bytes for a batch of 512 tokens on its way through the model, and for what comes of it.

    Args:
        header: of the model.
        cells: tokens that the attention memory is made for.
        outputs: sequences whose next token is chosen at once.
        threads: computing threads.
    """
    return _graph(header, cells, outputs) + _logits(header, outputs) + _work(header, threads)


def _graph(header: Header, cells: int, outputs: int) -> int:
    """llama.cpp's compute buffer: what is alive at once while a batch goes through a layer.

    That is, a token, the widest of: gate, up and their product in the feed-forward part, each of its width (without a
    gate one of them), and four embeddings; queries, and what attention makes of them, and two embeddings; with
    experts, what each of them gives before it is summed up. Beside it the mask, 16 bits a cell and token, and logits.
    Fitted to what llama.cpp 0.3.36 of llama-cpp-python reserves (graph_reserve in llama-context.cpp) for llama, qwen2
    and starcoder2 of widths of 1024 and 2048, feed-forward parts of 0.5 to 8 times that, 0 to 8 experts: exact where
    the feed-forward part is wide, else up to 20 % above.
    """
    batch = min(_BATCH, cells)
    width = header.embedding_length
    experts = header.experts_used
    inner = max(header.feed_forward_length, experts * header.expert_feed_forward_length)
    at_once = 3 if experts or _is_gated(header) else 1
    numbers = max(at_once * inner + 4 * width, 4 * _attention_width(header) + 2 * width)
    if experts:
        numbers = max(numbers, inner + (2 * experts + 4) * width)
    return batch * (_F32 * numbers + _F16 * cells) + _logits(header, outputs)


def _is_gated(header: Header) -> bool:
    """Whether the feed-forward part is a product of two, from matrices of their own or from one of twice the width.

    Where the tensors do not tell, it is taken for one: that takes more.
    """
    ups = [tensor for tensor in header.tensors if tensor.name.endswith(".ffn_up.weight")]
    gates = any(tensor.name.endswith(".ffn_gate.weight") for tensor in header.tensors)
    return gates or not ups or any(tensor.shape[-1] != header.feed_forward_length for tensor in ups)


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
