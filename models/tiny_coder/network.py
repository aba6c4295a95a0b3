"""The network: a llama (RMS norm, rotary positions, grouped queries, SwiGLU), forward pass and loss in JAX.

Matrices stand as (outputs, inputs) by the names that GGUF gives them, so that a file is written and read as it is.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product

import jax
import jax.numpy as jnp
import numpy as np
import numpy.typing as npt
from jax import Array

from models.llama import EPSILON, ROPE_BASE, layer_sizes

Matrix = npt.NDArray[np.float32]
Weights = dict[str, Array]


@dataclass(frozen=True, slots=True)
class Shape:
    """The size of the model.

    Attributes:
        vocabulary: number of tokens; the embedding is the output matrix, too.
        width: numbers that stand for a token between layers.
        heads: attention heads of width / heads numbers each.
        shared_heads: heads of keys and values; heads / shared_heads queries share one.
        feed_forward: width inside of the feed-forward part.
        layers: how many layers.
        context: tokens it takes.
    """

    vocabulary: int = 4096
    width: int = 256
    heads: int = 4
    shared_heads: int = 2
    feed_forward: int = 768
    layers: int = 8
    context: int = 1024

    @property
    def head_width(self) -> int:
        """Numbers of a head."""
        return self.width // self.heads


_WRITING = ("attn_output", "ffn_down")
"""What these matrices give is added to the residual stream."""


def initial(shape: Shape, key: Array) -> Weights:
    """Return random weights of 32 bits.

    Matrices are normal with a standard deviation of 1/sqrt(inputs), those that write into the residual stream
    smaller by sqrt(2 layers), and the embedding, which is the output matrix too, with one of 0.02, as in GPT-2.
    """
    sizes = layer_sizes(shape, shape.shared_heads)
    keys = iter(jax.random.split(key, shape.layers * len(sizes) + 1))
    embedding = 0.02 * jax.random.normal(next(keys), (shape.vocabulary, shape.width))
    weights = {"token_embd.weight": embedding, "output_norm.weight": jnp.ones(shape.width)}
    for layer, (name, size) in product(range(shape.layers), sizes.items()):
        scale = size[-1] ** -0.5 / ((2 * shape.layers) ** 0.5 if name in _WRITING else 1)
        normal = scale * jax.random.normal(next(keys), size)
        weights[f"blk.{layer}.{name}.weight"] = jnp.ones(size) if len(size) == 1 else normal
    return weights


@jax.custom_vjp  # type: ignore[untyped-decorator]
def linear(inputs: Array, matrix: Array) -> Array:
    """Multiply (..., inputs) by an (outputs, inputs) matrix: factors of 16 bits (bfloat16), sums of 32."""
    return _product(inputs, matrix, ((inputs.ndim - 1,), (1,)))


def _product(left: Array, right: Array, axes: tuple[tuple[int, ...], tuple[int, ...]]) -> Array:
    return jax.lax.dot_general(
        left.astype(jnp.bfloat16),
        right.astype(jnp.bfloat16),
        (axes, ((), ())),
        preferred_element_type=jnp.float32,
    )


def _linear_forward(inputs: Array, matrix: Array) -> tuple[Array, tuple[Array, Array]]:
    return linear(inputs, matrix), (inputs, matrix)


def _linear_backward(kept: tuple[Array, Array], gradient: Array) -> tuple[Array, Array]:
    inputs, matrix = kept
    rows = tuple(range(gradient.ndim - 1))
    return (
        _product(gradient, matrix, ((gradient.ndim - 1,), (0,))),
        _product(gradient, inputs, (rows, rows)),
    )


linear.defvjp(_linear_forward, _linear_backward)


def _norm(values: Array, weight: Array) -> Array:
    return values * jax.lax.rsqrt(jnp.mean(values * values, axis=-1, keepdims=True) + EPSILON) * weight


def _rotate(values: Array, shape: Shape) -> Array:
    """Rotate pairs of neighbouring numbers by their position, as llama.cpp does for this architecture."""
    half = shape.head_width // 2
    angles = jnp.outer(
        jnp.arange(values.shape[1], dtype=jnp.float32), ROPE_BASE ** (-jnp.arange(half) / half)
    )
    cos, sin = jnp.cos(angles)[:, None, :], jnp.sin(angles)[:, None, :]
    pairs = values.reshape(*values.shape[:-1], half, 2)
    even, odd = pairs[..., 0], pairs[..., 1]
    return jnp.stack((even * cos - odd * sin, even * sin + odd * cos), axis=-1).reshape(values.shape)


_BLOCK = 64
"""Queries that are compared together with the keys before them: what lies behind is left out, not masked (measured:
64 is 1.5 times as fast as all 512 together)."""


def _mix(queries: Array, keys: Array, contents: Array) -> Array:
    """Attend from (batch, heads, groups, queries, head width) to the keys up to the last query's."""
    batch, heads, groups, count, width = queries.shape
    seen = keys.shape[2]
    scores = jax.lax.dot_general(
        queries.reshape(batch, heads, groups * count, width), keys, (((3,), (3,)), ((0, 1), (0, 1)))
    ).reshape(batch, heads, groups, count, seen)
    causal = jnp.arange(seen - count, seen)[:, None] >= jnp.arange(seen)
    share = jax.nn.softmax(jnp.where(causal, scores, -jnp.inf), axis=-1)
    mixed = jax.lax.dot_general(
        share.reshape(batch, heads, groups * count, seen), contents, (((3,), (2,)), ((0, 1), (0, 1)))
    )
    return mixed.reshape(batch, heads, groups, count, width)


def _attention(values: Array, weights: Mapping[str, Array], shape: Shape) -> Array:
    batch, length, _ = values.shape
    groups = shape.heads // shape.shared_heads

    def project(name: str, heads: int) -> Array:
        return linear(values, weights[name]).reshape(batch, length, heads, shape.head_width)

    # The queries that share a head of keys stand one below the other: one product for each head of keys.
    queries = _rotate(project("attn_q", shape.heads), shape) * shape.head_width**-0.5
    queries = queries.reshape(batch, length, shape.shared_heads, groups, -1).transpose(0, 2, 3, 1, 4)
    keys = _rotate(project("attn_k", shape.shared_heads), shape).transpose(0, 2, 1, 3)
    contents = project("attn_v", shape.shared_heads).transpose(0, 2, 1, 3)
    blocks = [(start, min(start + _BLOCK, length)) for start in range(0, length, _BLOCK)]
    mixed = [
        _mix(queries[..., start:end, :], keys[..., :end, :], contents[..., :end, :]) for start, end in blocks
    ]
    together = jnp.concatenate(mixed, axis=3).transpose(0, 3, 1, 2, 4)
    return linear(together.reshape(batch, length, shape.width), weights["attn_output"])


def _feed_forward(values: Array, weights: Mapping[str, Array]) -> Array:
    inner = jax.nn.silu(linear(values, weights["ffn_gate"])) * linear(values, weights["ffn_up"])
    return linear(inner, weights["ffn_down"])


def logits(weights: Mapping[str, Array], tokens: Array, shape: Shape) -> Array:
    """Return what the model says of the next token.

    Args:
        weights: of the model.
        tokens: (batch, length) ids.
        shape: the model's size.

    Returns:
        (batch, length, vocabulary) logits.
    """

    def layer(values: Array, own: Mapping[str, Array]) -> tuple[Array, None]:
        values += _attention(_norm(values, own["attn_norm"]), own, shape)
        values += _feed_forward(_norm(values, own["ffn_norm"]), own)
        return values, None

    # One program for all layers: a loop is compiled once.
    stacked = {
        name: jnp.stack([weights[f"blk.{index}.{name}.weight"] for index in range(shape.layers)])
        for name in layer_sizes(shape, shape.shared_heads)
    }
    values, _ = jax.lax.scan(layer, weights["token_embd.weight"][tokens], stacked)
    return linear(_norm(values, weights["output_norm.weight"]), weights["token_embd.weight"])
