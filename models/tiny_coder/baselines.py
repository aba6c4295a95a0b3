"""What the model is held against: compressors, and counts of tokens."""

import gzip
import lzma
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Ids = npt.NDArray[np.int64]


def gzip_bits(data: bytes) -> float:
    """Return bits of a byte as gzip -9 stores it."""
    return 8 * len(gzip.compress(data, 9)) / len(data)


def xz_bits(data: bytes) -> float:
    """Return bits of a byte as xz -9e stores it."""
    return 8 * len(lzma.compress(data, preset=9 | lzma.PRESET_EXTREME)) / len(data)


def ngram_bits(train: Sequence[Ids], test: Sequence[Ids], vocabulary: int, order: int) -> float:
    """Return the bits that the tokens of `test` take by counts of `train`.

    Interpolated Witten-Bell: p(w | h) = (c(hw) + T(h) p(w | h')) / (c(h) + T(h)), where T(h) is the number of tokens
    seen after h, and h' is h without its first token (Witten and Bell, "The zero-frequency problem", 1991).

    Args:
        train: ids of each text.
        test: ids of each text.
        vocabulary: number of tokens; its `order`-th power is below 2^63.
        order: length of the longest sequences counted.

    Returns:
        bits of all tokens of `test` together.
    """
    likely = [np.full(len(ids), 1 / vocabulary) for ids in test]
    for length in range(1, order + 1):
        keys, counts = np.unique(
            np.concatenate([_windows(ids, length, vocabulary) for ids in train]), return_counts=True
        )
        contexts, first = np.unique(keys // vocabulary, return_index=True)
        followers = np.diff(np.append(first, len(keys)))
        seen = np.add.reduceat(counts, first)
        for ids, chances in zip(test, likely, strict=True):
            grams = _windows(ids, length, vocabulary)
            lower = chances[length - 1 :]
            types = _lookup(contexts, followers, grams // vocabulary)
            total = _lookup(contexts, seen, grams // vocabulary)
            count = _lookup(keys, counts, grams)
            known = total > 0
            lower[known] = (count + types * lower)[known] / (total + types)[known]
    return float(-sum(np.log2(chances).sum() for chances in likely))


def _windows(ids: Ids, length: int, vocabulary: int) -> Ids:
    """Return the sequences of a length as numbers, each by its last token."""
    count = max(0, len(ids) - length + 1)
    keys = np.zeros(count, dtype=np.int64)
    for offset in range(length):
        keys = keys * vocabulary + ids[offset : offset + count]
    return keys


def _lookup(keys: Ids, values: Ids, wanted: Ids) -> Ids:
    places = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    return np.where(keys[places] == wanted, values[places], 0)
