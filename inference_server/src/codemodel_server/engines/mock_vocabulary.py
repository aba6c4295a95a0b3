"""The tokens of the mock engine: any text becomes tokens, and the tokens become that text again.

A token is up to three bytes of a word, a sign or white space, numbered by what it says; the words that answers are
made of have numbers of their own behind these.
"""

import re
from collections.abc import Iterable, Sequence

WORDS = (
    b"def", b" add", b"(", b"a", b",", b" b", b")", b":", b"\n    ", b"return", b" a", b" +", b" b", b"\n", b"for",
    b" item", b" in", b" items", b"if", b" not", b" None", b"value", b" =", b" 1", b"\n\n", b"print", b'("', b"hello",
    b'")', b" # ok",
)  # fmt: skip
"""What answers are made of."""

_PIECE = re.compile(r"\w+|[^\w\s]|\s+")
_LONGEST = 3
# The number of the first token of so many bytes, and behind the last of them the first word's.
_FIRST = (0, 0, 1 << 8, (1 << 8) + (1 << 16), (1 << 8) + (1 << 16) + (1 << 24))
_FIRST_WORD = _FIRST[-1]
SIZE = _FIRST_WORD + len(WORDS)
"""How many tokens there are."""


def word(index: int) -> int:
    """The token of the word at `index` of WORDS."""
    return _FIRST_WORD + index


def encode(text: str) -> list[int]:
    """The tokens of a text."""
    pieces = (match[0].encode("utf-8", "surrogatepass") for match in _PIECE.finditer(text))
    return [_number(chunk) for piece in pieces for chunk in _chunks(piece)]


def piece(token: int) -> bytes:
    """The bytes of a token.

    Raises:
        ValueError: there is no such token.
    """
    if not 0 <= token < SIZE:
        raise ValueError(f"there is no token {token}: tokens are numbered from 0 to {SIZE - 1}")
    if token >= _FIRST_WORD:
        return WORDS[token - _FIRST_WORD]
    length = next(length for length in range(_LONGEST, 0, -1) if token >= _FIRST[length])
    return (token - _FIRST[length]).to_bytes(length, "big")


def decode(tokens: Iterable[int]) -> str:
    """The text of tokens; bytes that are no characters are replaced.

    Raises:
        ValueError: one is no token.
    """
    return b"".join(piece(token) for token in tokens).decode("utf-8", "replace")


def _chunks(text: bytes) -> Sequence[bytes]:
    return [text[at : at + _LONGEST] for at in range(0, len(text), _LONGEST)]


def _number(chunk: bytes) -> int:
    return _FIRST[len(chunk)] + int.from_bytes(chunk, "big")
