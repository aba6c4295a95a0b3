"""The values that a GGUF file is made of, read one after another without trusting any length among them."""

import struct
from collections.abc import Callable

from codemodel_delivery.gguf.errors import NotAModel, UnsupportedModel

Read = Callable[[int, int], bytes]
"""Gives so many bytes (second) of the file from an offset (first); fewer only where the file ends."""

Number = int | float | bool
Value = Number | str | list[Number]
"""A metadata value; of an array that is not kept, its length."""

AGAIN = "it is damaged, download the model again"
"""The end of a message about what no whole file says."""

# What real files have: 262,144 tokens with 514,906 merges are 12 MB, and chat templates are below 100 kB.
_LARGEST_HEADER = 32 << 20
_MOST_ELEMENTS = 1 << 21
_LONGEST_NAME = 1 << 16
_KEPT_TEXT = 1 << 10
_KEPT_NUMBERS = 1 << 16
_BLOCK = 1 << 18

# enum gguf_type in gguf.h.
_STRING, _ARRAY = 8, 9
_NUMBERS = {
    number: struct.Struct(f"<{letter}")
    for number, letter in ((0, "B"), (1, "b"), (2, "H"), (3, "h"), (4, "I"), (5, "i"), (6, "f"), (7, "?"))
} | {number: struct.Struct(f"<{letter}") for number, letter in ((10, "Q"), (11, "q"), (12, "d"))}
_U32, _U64 = _NUMBERS[4], _NUMBERS[10]


class Values:
    """Reads forward through a file's header.

    Args:
        read: gives bytes of the file.
        size: of the file, in bytes.

    Attributes:
        position: of the next byte.
    """

    def __init__(self, read: Read, size: int) -> None:
        self.position = 0
        self._read = read
        self._size = size
        self._block = b""
        self._start = 0
        self._room = _KEPT_NUMBERS

    def u32(self) -> int:
        """A count or a type."""
        return int(_U32.unpack(self.take(4))[0])

    def u64(self) -> int:
        """A count, a length or an offset."""
        return int(_U64.unpack(self.take(8))[0])

    def name(self) -> str:
        """A key, or the name of a tensor."""
        length = self.u64()
        if length > _LONGEST_NAME:
            raise NotAModel(f"the header has a name of {length} bytes: {AGAIN}")
        return self.take(length).decode("utf-8", "replace")

    def value(self, kind: int, *, keep: bool) -> Value:
        """A metadata value: a number, the beginning of a text, an array of numbers, or an array's length.

        Args:
            kind: its type.
            keep: whether arrays of numbers are wanted; the first of them are kept, up to 65,536 numbers in all.
        """
        if number := _NUMBERS.get(kind):
            value: Number = number.unpack(self.take(number.size))[0]
            return value
        if kind == _STRING:
            length = self.u64()
            kept = self.take(min(length, _KEPT_TEXT))
            self.skip(length - len(kept))
            return kept.decode("utf-8", "replace")
        if kind == _ARRAY:
            return self._array(self.u32(), self.u64(), keep=keep)
        raise NotAModel(f"the header has a value of unknown type {kind}: {AGAIN}")

    def take(self, length: int) -> bytes:
        """The next bytes."""
        start = self.position - self._start
        if start < 0 or start + length > len(self._block):
            self._fill(length)
            start = 0
        self.position += length
        return self._block[start : start + length]

    def skip(self, length: int) -> None:
        """Goes on behind the next bytes, without reading them."""
        self._check(length)
        self.position += length

    def _array(self, kind: int, count: int, *, keep: bool) -> Value:
        if kind == _ARRAY:
            raise UnsupportedModel(
                "the header has arrays of arrays, which llama.cpp does not read: convert the model again"
            )
        if number := _NUMBERS.get(kind):
            size = count * number.size
            if not keep or count > self._room:
                self.skip(size)
                return count
            self._room -= count
            self._check(size)
            return [value for (value,) in number.iter_unpack(self.take(size))]
        if kind != _STRING:
            raise NotAModel(f"the header has an array of unknown type {kind}: {AGAIN}")
        if count > _MOST_ELEMENTS:
            raise NotAModel(f"the header has an array of {count} texts: {AGAIN}")
        for _ in range(count):
            self.skip(self.u64())
        return count

    def _fill(self, length: int) -> None:
        self._check(length)
        self._start = self.position
        self._block = self._read(self.position, min(max(length, _BLOCK), self._size - self.position))
        if len(self._block) < length:
            raise NotAModel("the file ends within its header: it is truncated, download the model again")

    def _check(self, length: int) -> None:
        if self.position + length > self._size:
            raise NotAModel(
                f"the header goes on behind the file's {self._size} bytes: it is truncated or damaged, "
                "download the model again"
            )
        if self.position + length > _LARGEST_HEADER:
            raise NotAModel(f"the header is larger than {_LARGEST_HEADER >> 20} MiB: {AGAIN}")
