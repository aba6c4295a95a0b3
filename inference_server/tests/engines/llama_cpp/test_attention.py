"""Our attention kernel, asked through ggml as llama.cpp asks it, against the formula in 64 bits."""

import ctypes
import importlib
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pytest

Array = npt.NDArray[np.float64]

# Our sums have 32 bits. ggml's have 16 for few tokens: they are a hundred times as far off as this.
CLOSE = 1e-5
CLOSE_TO_GGML = 5e-3
CELLS = 256
"""Cells of the memory: llama.cpp passes multiples of 256."""

_F32, _F16 = 0, 1  # GGML_TYPE_F32 and GGML_TYPE_F16 in ggml.h
_MEMORY = 1 << 27


class _Parameters(ctypes.Structure):
    _fields_ = (("mem_size", ctypes.c_size_t), ("mem_buffer", ctypes.c_void_p), ("no_alloc", ctypes.c_bool))


@dataclass(frozen=True)
class Asked:
    """What attention is computed of.

    Attributes:
        queries: shape (tokens, heads, size).
        keys: shape (cells, shared heads, size).
        values: as `keys`.
        mask: what is added to the scores, shape (tokens, cells).
        softcap: what the scores are capped at; 0 is without.
    """

    queries: Array
    keys: Array
    values: Array
    mask: Array
    softcap: float = 0.0


def asked(mask: Array, heads: int = 8, shared: int = 2, size: int = 64, softcap: float = 0.0) -> Asked:
    """Random queries, keys and values; keys and values as they are in 16 bits."""
    random = np.random.default_rng(0)
    tokens, cells = mask.shape
    queries = random.normal(0, 2, (tokens, heads, size)).astype(np.float32).astype(float)
    keys, values = random.normal(0, 1, (2, cells, shared, size)).astype(np.float16).astype(float)
    return Asked(queries, keys, values, mask, softcap)


def formula(of: Asked) -> Array:
    """softmax(q k / sqrt(size) + mask) v, shape (tokens, heads, size); 0 where nothing can be seen."""
    heads, size = of.queries.shape[1:]
    each = heads // of.keys.shape[1]
    keys, values = np.repeat(of.keys, each, 1), np.repeat(of.values, each, 1)
    scores = np.einsum("thd,chd->thc", of.queries, keys) / np.sqrt(size)
    if of.softcap:
        scores = of.softcap * np.tanh(scores / of.softcap)
    scores = scores + of.mask[:, None, :]
    highest = scores.max(-1, keepdims=True)
    weights = np.exp(scores - np.where(np.isfinite(highest), highest, 0))
    total = weights.sum(-1, keepdims=True)
    answer: Array = np.einsum("thc,chd->thd", weights / np.where(total > 0, total, 1), values)
    return answer


def library(name: str) -> ctypes.CDLL:
    """One of the libraries that llama-cpp-python brings, and loads."""
    importlib.import_module("codemodel_server.engines.llama_cpp.native.binding")
    return ctypes.CDLL(name)


def ggml(of: Asked, threads: int = 1) -> Array:
    """What ggml's graph with this one node gives, shape (tokens, heads, size)."""
    base, cpu = library("libggml-base.so.0"), library("libggml-cpu.so.0")
    for name in ("ggml_init", "ggml_new_tensor_3d", "ggml_permute", "ggml_flash_attn_ext", "ggml_new_graph"):
        getattr(base, name).restype = ctypes.c_void_p
    base.ggml_get_data.restype = cpu.ggml_backend_cpu_init.restype = ctypes.c_void_p
    base.ggml_init.argtypes = (_Parameters,)
    context = ctypes.c_void_p(base.ggml_init(_Parameters(_MEMORY, None, False)))

    def tensor(content: Array, kind: int) -> ctypes.c_void_p:
        stored = np.ascontiguousarray(content, np.float16 if kind == _F16 else np.float32)
        sizes = [ctypes.c_int64(size) for size in reversed(stored.shape)]
        made = ctypes.c_void_p(base.ggml_new_tensor_3d(context, kind, *sizes))
        ctypes.memmove(base.ggml_get_data(made), stored.ctypes.data, stored.nbytes)
        return made

    def by_head(content: Array, kind: int) -> ctypes.c_void_p:
        return ctypes.c_void_p(base.ggml_permute(context, tensor(content, kind), 0, 2, 1, 3))

    node = ctypes.c_void_p(
        base.ggml_flash_attn_ext(
            context,
            by_head(of.queries, _F32),
            by_head(of.keys, _F16),
            by_head(of.values, _F16),
            tensor(of.mask[None], _F16),
            ctypes.c_float(1 / np.sqrt(of.queries.shape[2])),
            ctypes.c_float(0.0),
            ctypes.c_float(of.softcap),
        )
    )
    graph = ctypes.c_void_p(base.ggml_new_graph(context))
    base.ggml_build_forward_expand(graph, node)
    backend = ctypes.c_void_p(cpu.ggml_backend_cpu_init())
    cpu.ggml_backend_cpu_set_n_threads(backend, threads)
    assert base.ggml_backend_graph_compute(backend, graph) == 0
    count = of.queries.size
    answer = np.ctypeslib.as_array((ctypes.c_float * count).from_address(base.ggml_get_data(node)))
    answer = answer.astype(float).reshape(of.queries.shape)
    base.ggml_backend_free(backend)
    base.ggml_free(context)
    return answer


def masked(visible: npt.NDArray[np.bool_]) -> Array:
    """A mask of what can be seen, shape (tokens, cells)."""
    return np.where(visible, 0.0, -np.inf)


def one_sequence(tokens: int, length: int, window: int = CELLS) -> Array:
    """The last tokens of a sequence that is alone in memory, each of which sees what is up to `window` before it."""
    at = np.arange(length - tokens, length)[:, None]
    cells = np.arange(CELLS)[None]
    return masked((cells <= at) & (cells > at - window))


def many_sequences(tokens: int) -> Array:
    """A token each of as many sequences, whose cells lie interleaved."""
    return masked(np.arange(CELLS)[None] % tokens == np.arange(tokens)[:, None])


def off(of: Asked, threads: int = 1) -> float:
    """How far off ggml's answer is at most."""
    return float(np.abs(ggml(of, threads) - formula(of)).max())


def test_it_is_part_of_the_library() -> None:
    assert hasattr(library("libggml-cpu.so.0"), "codemodel_attention")


@pytest.mark.parametrize("size", [32, 64, 80, 96, 128, 256])
@pytest.mark.parametrize(("heads", "shared"), [(4, 4), (8, 1), (14, 2)])
def test_sizes_and_heads(size: int, heads: int, shared: int) -> None:
    assert off(asked(many_sequences(5), heads, shared, size)) < CLOSE
    assert off(asked(one_sequence(70, 200), heads, shared, size)) < CLOSE


@pytest.mark.parametrize("threads", [1, 2, 3])
@pytest.mark.parametrize("tokens", [1, 2, 9, 64, 130])
def test_tokens_and_threads(tokens: int, threads: int) -> None:
    assert off(asked(one_sequence(tokens, tokens + 40)), threads) < CLOSE
    assert off(asked(many_sequences(tokens)), threads) < CLOSE


def test_a_sliding_window() -> None:
    assert off(asked(one_sequence(100, 250, window=30))) < CLOSE


def test_prompts_and_streams_in_one_decode() -> None:
    streams = many_sequences(3)
    streams[:, 100:] = -np.inf
    prompt = one_sequence(60, 160)
    prompt[:, :100] = -np.inf
    assert off(asked(np.concatenate([streams, prompt, streams])), 2) < CLOSE


def test_a_mask_may_be_a_number() -> None:
    mask = one_sequence(20, 90)
    mask[:, :50] -= 1.5
    assert off(asked(mask)) < CLOSE


def test_who_sees_nothing_gets_nothing() -> None:
    mask = one_sequence(3, 90)
    mask[1] = -np.inf
    of = asked(mask)
    assert off(of) < CLOSE
    assert not ggml(of)[1].any()


def test_scores_far_apart() -> None:
    of = asked(one_sequence(10, 200))
    loud = Asked(of.queries * 100, of.keys, of.values, of.mask)
    assert off(loud) < CLOSE * 10


@pytest.mark.parametrize("size", [40, 64])
def test_what_it_is_not_made_for_is_left_to_ggml(size: int) -> None:
    softcap = 20.0 if size == 64 else 0.0
    assert off(asked(many_sequences(5), size=size, softcap=softcap)) < CLOSE_TO_GGML
