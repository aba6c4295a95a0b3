"""Chat templates of model files: Jinja with what Hugging Face's Transformers adds, for which they are written.

What that is stands in `transformers/utils/chat_template_utils.py` (`_compile_jinja_template`, `render_jinja_template`).
"""

import datetime
import json
from collections.abc import Sequence
from typing import Any, NoReturn

from jinja2 import BaseLoader, nodes
from jinja2.ext import Extension, loopcontrols
from jinja2.parser import Parser
from jinja2.sandbox import ImmutableSandboxedEnvironment


class _Generation(Extension):
    """`{% generation %}`: marks what a model is trained to say; here it is written like the rest."""

    tags = {"generation"}  # noqa: RUF012 - Jinja reads it from the class

    def parse(self, parser: Parser) -> list[nodes.Node]:
        next(parser.stream)
        return parser.parse_statements(("name:endgeneration",), drop_needle=True)


class ChatTemplate:
    """A template, run in Jinja's immutable sandbox: it comes with the model file.

    Args:
        template: Jinja.
        begin: what begins texts, as the template knows it.
        end: what ends them.

    Raises:
        jinja2.TemplateSyntaxError: it is not Jinja.
    """

    def __init__(self, template: str, begin: str, end: str) -> None:
        environment = ImmutableSandboxedEnvironment(
            loader=BaseLoader(), trim_blocks=True, lstrip_blocks=True, extensions=[_Generation, loopcontrols]
        )
        # Jinja's own would escape the text for HTML.
        environment.filters["tojson"] = _to_json
        self._template = environment.from_string(template)
        self._given = {
            "bos_token": begin,
            "eos_token": end,
            "tools": None,
            "tool_choice": None,
            "functions": None,
            "function_call": None,
            "raise_exception": _raise,
            "strftime_now": _now,
        }

    def render(self, messages: Sequence[dict[str, str]], *, answered: bool = True) -> str:
        """The text of a conversation.

        Args:
            messages: each with a `role` and its `content`.
            answered: whether it ends where the answer begins.

        Raises:
            Exception: whatever the template raises.
        """
        return self._template.render(messages=messages, add_generation_prompt=answered, **self._given)


def _to_json(
    value: Any,
    ensure_ascii: bool = False,
    indent: int | None = None,
    separators: tuple[str, str] | None = None,
    sort_keys: bool = False,
) -> str:
    return json.dumps(
        value, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys
    )


def _raise(message: str) -> NoReturn:
    raise ValueError(message)


def _now(form: str) -> str:
    return datetime.datetime.now().strftime(form)
