"""How well the model foretells what was held out, beside compressors and counts of tokens."""

from collections.abc import Iterable, Iterator, Sequence

import jax
import jax.numpy as jnp
import numpy as np
from tokenizers import Tokenizer

from models.tiny_coder import tokens
from models.tiny_coder.baselines import Ids, gzip_bits, ngram_bits, xz_bits
from models.tiny_coder.corpus import Source
from models.tiny_coder.network import Shape, Weights, logits

_NGRAM_ORDER = 4


def bits(weights: Weights, shape: Shape, tokenizer: Tokenizer, sources: Sequence[Source]) -> dict[str, float]:
    """Return bits of a byte of the held-out files, for the model and for what it is held against.

    The model reads each file in windows of its whole context, of which the second half counts (of the first window:
    all). Model and counts of tokens know the rest of the library; gzip and xz know only what they compress.
    """
    held_out = [source.text for source in sources if source.held_out]
    ids = [encode(tokenizer, text) for text in held_out]
    known = [encode(tokenizer, source.text) for source in sources if not source.held_out]
    data = "".join(held_out).encode()
    grams = ngram_bits(known, [each[1:] for each in ids], shape.vocabulary, _NGRAM_ORDER)
    return {
        "bytes": len(data),
        "tokens": sum(len(each) - 1 for each in ids),
        "model": sum(_bits(weights, shape, ids)) / len(data),
        "order": _NGRAM_ORDER,
        "grams": grams / len(data),
        "xz": xz_bits(data),
        "gzip": gzip_bits(data),
    }


def encode(tokenizer: Tokenizer, text: str) -> Ids:
    """Return the ids of a text, behind the token that ends the one before."""
    said = tokenizer.encode(text, add_special_tokens=False).ids
    return np.asarray([tokens.SPECIAL.index(tokens.END_OF_TEXT), *said], dtype=np.int64)


def _bits(weights: Weights, shape: Shape, texts: Iterable[Ids]) -> Iterator[float]:
    """Give the bits of each window."""
    half = shape.context // 2

    def surprise(ids: jax.Array) -> jax.Array:
        said = jax.nn.log_softmax(logits(weights, ids[None, :-1], shape)[0])
        return -jnp.take_along_axis(said, ids[1:, None], axis=-1)[:, 0] / jnp.log(2.0)

    compiled = jax.jit(surprise)

    for ids in texts:
        for start in range(0, len(ids) - 1, half):
            first = max(0, start - half)
            window = ids[first : start + half + 1]
            # Padded behind, where nothing that counts looks: one shape, one program.
            padded = np.zeros(shape.context + 1, dtype=np.int32)
            padded[: len(window)] = window
            yield float(compiled(jnp.asarray(padded))[start - first : len(window) - 1].sum())
