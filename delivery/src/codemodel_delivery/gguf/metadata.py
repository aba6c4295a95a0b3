"""What a GGUF file's keys say, each checked before it is believed."""

from codemodel_delivery.gguf.errors import NotAModel, UnsupportedModel
from codemodel_delivery.gguf.values import AGAIN, Value, Values

_LARGEST_NUMBER = 1 << 31
_UNPRINTABLE = "\N{REPLACEMENT CHARACTER}"


class Metadata:
    """Keys and values. Of a key that comes twice, the first counts: none contradicts what was checked.

    Args:
        values: reads the file, from the first key on.
        count: how many keys there are.

    Raises:
        GGUFError: a value is damaged.
    """

    def __init__(self, values: Values, count: int) -> None:
        self._values: dict[str, Value] = {}
        for _ in range(count):
            key = values.name()
            self._values.setdefault(key, values.value(values.u32(), keep=not key.startswith("tokenizer.")))

    def text(self, key: str) -> str:
        """A text, with a mark for each character that cannot be shown; empty if there is none."""
        value = self._values.get(key, "")
        if not isinstance(value, str):
            return ""
        return "".join(letter if letter.isprintable() else _UNPRINTABLE for letter in value)

    def count(self, key: str) -> int:
        """The length of an array that is not kept; 0 if there is none."""
        value = self._values.get(key)
        return value if isinstance(value, int) else 0

    def number(self, key: str, default: int | None = None) -> int:
        """A number that is whole and not negative.

        Raises:
            UnsupportedModel: it is missing, without a default.
            NotAModel: it is something else.
        """
        value = self._values.get(key, default)
        if value is None:
            raise UnsupportedModel(
                f"the header does not give {key[:80]}: give a language model, converted for llama.cpp"
            )
        return _whole(key, value)

    def each_layer(self, key: str, layers: int, default: tuple[int, ...] | None = None) -> tuple[int, ...]:
        """Numbers that a file gives once for all layers, or one for each.

        Raises:
            UnsupportedModel: they are missing, without a default.
            NotAModel: they are too few, or something else.
        """
        value = self._values.get(key)
        if value is None and default is not None:
            return default
        if not isinstance(value, list):
            return (self.number(key),) * layers
        if len(value) < layers:
            raise NotAModel(f"the header gives {key[:80]} for {len(value)} of {layers} layers: {AGAIN}")
        return tuple(_whole(key, one) for one in value[:layers])


def _whole(key: str, value: object) -> int:
    if not isinstance(value, int) or not 0 <= value < _LARGEST_NUMBER:
        raise NotAModel(f"the header gives {str(value)[:40]!r} for {key[:80]}: {AGAIN}")
    return value
