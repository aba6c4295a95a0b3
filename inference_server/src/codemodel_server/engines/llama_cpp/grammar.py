"""From a JSON schema to a grammar, within bounds: llama.cpp's converter writes repetitions out, however many.

What it does not know, or gets wrong, is put right here: strings with control characters are no JSON; backslashes of
constants and names are their own; a schema that is a reference beside its definitions, or has several types; classes of
characters; bounds of integers.
"""

import json
import math
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from codemodel_server.engines.llama_cpp.integers import integers_between
from codemodel_server.engines.llama_cpp.native.binding import part
from codemodel_server.errors import InvalidRequestError

if TYPE_CHECKING:
    from llama_cpp import llama_grammar
else:
    llama_grammar = part("llama_grammar")

_BOUNDS = ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum")
_COUNTS = ("minItems", "maxItems", "minLength", "maxLength")
# llama.cpp's own bound for repetitions in a grammar (MAX_REPETITION_THRESHOLD in llama-grammar.cpp).
_MOST_REPETITIONS = 2000
_MOST_SCHEMA_CHARACTERS = 1 << 16
_DEEPEST_SCHEMA = 64
# A character of a JSON string (RFC 8259, section 7).
_CHARACTER = r'[^"\\\x7F\x00-\x1F] | "\\" (["\\/bfnrt] | "u" [0-9a-fA-F] [0-9a-fA-F] [0-9a-fA-F] [0-9a-fA-F])'
_LITERAL_ESCAPES = str.maketrans({"\\": "\\\\", '"': '\\"'})
# Of the white space, only blanks stand in a JSON string as they are.
_CLASSES = {"d": "0-9", "w": "a-zA-Z0-9_", "s": " "}
_ESCAPE = re.compile(r"\\(.)|(\[)|(\])", re.DOTALL)
_REPETITION = re.compile(r"\{\s*(\d+)\s*(?:,\s*(\d*)\s*)?\}")


def grammar_of_schema(schema: str) -> str:
    """The GBNF grammar of all JSON texts that a schema allows.

    Raises:
        InvalidRequestError: it is no schema, is too large, or uses what the converter does not know.
    """
    if len(schema) > _MOST_SCHEMA_CHARACTERS:
        raise _refusal(f"it has more than {_MOST_SCHEMA_CHARACTERS} characters")
    try:
        parsed = json.loads(schema)
        for key, value in _walk(parsed):
            _check(key, value)
        return _converted(parsed)
    except RecursionError:
        raise _refusal("it is nested too deeply") from None
    except InvalidRequestError:
        raise
    except Exception as error:
        # The converter raises whatever its own code ran into: KeyError, AssertionError, re.error …
        raise _refusal(f"{type(error).__name__}: {error}"[:200]) from error


def _converted(schema: Any) -> str:
    if isinstance(schema, dict) and "$ref" in schema and len(schema) > 1:
        # The converter would not look at what stands beside a reference, such as what it refers to.
        schema = {**schema, "anyOf": [{"$ref": schema["$ref"]}]}
        del schema["$ref"]
    converter = _Converter(prop_order={}, allow_fetch=False, dotall=False, raw_pattern=False)
    converter.visit(converter.resolve_refs(schema, "schema"), "")
    return str(converter.format_grammar())


class _Converter(llama_grammar.SchemaConverter):  # type: ignore[misc]  # it has no types
    def visit(self, schema: dict[str, Any], name: str) -> Any:
        if not {"$ref", "oneOf", "anyOf", "const", "enum"} & schema.keys():
            match schema.get("type"):
                case list() as types:
                    # The converter would keep nothing but the types.
                    schema = {"anyOf": [{**schema, "type": kind} for kind in types]}
                case "integer" if schema.keys() & set(_BOUNDS):
                    return self._add_rule(_rule_name(name), f"({integers_between(*_bounds(schema))}) space")
        return super().visit(schema, name)

    def _format_literal(self, literal: str) -> str:
        """A text of JSON, every character of which stands for itself."""
        readable = json.dumps(json.loads(literal), ensure_ascii=False)
        return f'"{readable.translate(_LITERAL_ESCAPES)}"'

    def _add_primitive(self, name: str, rule: Any) -> Any:
        if name == "char":
            rule = llama_grammar.BuiltinRule(_CHARACTER, [])
        return super()._add_primitive(name, rule)

    def _visit_pattern(self, pattern: str, name: str) -> Any:
        return super()._visit_pattern(_plain_pattern(pattern), name)


def _rule_name(name: str) -> str:
    """As the converter names the rule of a schema."""
    return f"{name}-" if name in llama_grammar.RESERVED_NAMES else name or "root"


def _bounds(schema: dict[str, Any]) -> tuple[int | None, int | None]:
    """The least and the greatest integer that a schema allows; None where it has no bound."""
    low, high, above, below = (_bound(schema, key) for key in _BOUNDS)
    # Before JSON Schema's draft 6, those that exclude were flags beside the others.
    above = low if schema.get("exclusiveMinimum") is True else above
    below = high if schema.get("exclusiveMaximum") is True else below
    least = [] if low is None else [math.ceil(low)]
    most = [] if high is None else [math.floor(high)]
    if above is not None:
        least.append(math.floor(above) + 1)
    if below is not None:
        most.append(math.ceil(below) - 1)
    return max(least, default=None), min(most, default=None)


def _bound(schema: dict[str, Any], key: str) -> float | None:
    value = schema.get(key)
    if value is None or isinstance(value, bool):
        return None
    if not isinstance(value, int | float):
        raise _refusal(f"{key} is not a number")
    return value


def _plain_pattern(pattern: str) -> str:
    r"""A regular expression in which `\d`, `\w`, `\s` and escaped punctuation are written as sets of characters."""
    inside = False

    def plain(found: re.Match[str]) -> str:
        nonlocal inside
        escaped, begins, ends = found.groups()
        if escaped is None:
            inside = bool(begins) or (inside and not ends)
            return found[0]
        if escaped in _CLASSES:
            return _CLASSES[escaped] if inside else f"[{_CLASSES[escaped]}]"
        if escaped == "." and not inside:
            return "[.]"
        return escaped if escaped in "-./@:,;=&%#!~'<> _" and not (inside and escaped == "-") else found[0]

    return _ESCAPE.sub(plain, pattern)


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
