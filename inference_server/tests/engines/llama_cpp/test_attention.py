"""Our attention kernel, asked through ggml as llama.cpp asks it, against the formula in 64 bits."""

import ctypes
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pytest

from inference_server.tests.engines.llama_cpp.ggml import F16, F32, Array, Pointer, graph, library

# Our sums have 32 bits. ggml's have 16 for few tokens: they are a hundred times as far off as this.
CLOSE = 1e-5
CLOSE_TO_GGML = 5e-3
CELLS = 256
"""Cells of the memory: llama.cpp passes multiples of 256."""


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


def ggml(of: Asked, threads: int = 1) -> Array:
    """What ggml's graph with this one node gives, shape (tokens, heads, size)."""
    with graph() as made:

        def by_head(content: Array, kind: int) -> Pointer:
            return made.node("ggml_permute", made.tensor(content, kind), 0, 2, 1, 3)

        node = made.node(
            "ggml_flash_attn_ext",
            by_head(of.queries, F32),
            by_head(of.keys, F16),
            by_head(of.values, F16),
            made.tensor(of.mask[None], F16),
            ctypes.c_float(1 / np.sqrt(of.queries.shape[2])),
            ctypes.c_float(0.0),
            ctypes.c_float(of.softcap),
        )
        return made.compute(node, of.queries.shape, threads)


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
    assert hasattr(library("cpu"), "codemodel_attention")


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
