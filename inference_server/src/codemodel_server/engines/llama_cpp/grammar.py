"""From a JSON schema to a grammar, within bounds: llama.cpp's converter writes repetitions out, however many."""

import json
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from codemodel_server.engines.llama_cpp.native.binding import part
from codemodel_server.errors import InvalidRequestError

if TYPE_CHECKING:
    from llama_cpp import llama_grammar
else:
    llama_grammar = part("llama_grammar")

_COUNTS = ("minItems", "maxItems", "minLength", "maxLength")
# llama.cpp's own bound for repetitions in a grammar (MAX_REPETITION_THRESHOLD in llama-grammar.cpp).
_MOST_REPETITIONS = 2000
_MOST_SCHEMA_CHARACTERS = 1 << 16
_DEEPEST_SCHEMA = 64
_REPETITION = re.compile(r"\{\s*(\d+)\s*(?:,\s*(\d*)\s*)?\}")


def grammar_of_schema(schema: str) -> str:
    """The GBNF grammar of all JSON texts that a schema allows.

    Raises:
        InvalidRequestError: it is no schema, is too large, or uses what the converter does not know.
    """
    if len(schema) > _MOST_SCHEMA_CHARACTERS:
        raise _refusal(f"it has more than {_MOST_SCHEMA_CHARACTERS} characters")
    try:
        for key, value in _walk(json.loads(schema)):
            _check(key, value)
        return str(llama_grammar.json_schema_to_gbnf(schema))
    except RecursionError:
        raise _refusal("it is nested too deeply") from None
    except InvalidRequestError:
        raise
    except Exception as error:
        # The converter raises whatever its own code ran into: KeyError, AssertionError, re.error …
        raise _refusal(f"{type(error).__name__}: {error}"[:200]) from error


def _walk(value: Any, depth: int = 0) -> Iterator[tuple[str, Any]]:
    if depth > _DEEPEST_SCHEMA:
        raise _refusal(f"it is nested too deeply: {_DEEPEST_SCHEMA} levels are possible")
    match value:
        case dict():
            for key, inner in value.items():
                yield key, inner
                yield from _walk(inner, depth + 1)
        case list():
            for inner in value:
                yield from _walk(inner, depth + 1)


def _check(key: str, value: Any) -> None:
    if key in _COUNTS and isinstance(value, int) and not 0 <= value <= _MOST_REPETITIONS:
        raise _refusal(f"{key} is {value}: from 0 to {_MOST_REPETITIONS} is possible")
    if key == "pattern" and isinstance(value, str):
        total = 1
        for low, high in _REPETITION.findall(value):
            total *= max(1, int((high or low)[:9]))
        if total > _MOST_REPETITIONS:
            raise _refusal(f"pattern repeats more than {_MOST_REPETITIONS} times")


def _refusal(reason: str) -> InvalidRequestError:
    return InvalidRequestError(f"this JSON schema cannot be followed: {reason}", field="json_schema")
