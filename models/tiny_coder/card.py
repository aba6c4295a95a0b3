"""Writes the model card from what was measured."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jinja2 import Environment, StrictUndefined

_TEMPLATE = Path(__file__).with_name("card.md.j2")


def render(figures: Mapping[str, Any], training: Mapping[str, Any]) -> str:
    """Return the card as Markdown.

    Args:
        figures: what `measure` found.
        training: what `train` did.
    """
    # Markdown is not HTML: nothing is escaped.
    environment = Environment(undefined=StrictUndefined, keep_trailing_newline=True, autoescape=False)  # noqa: S701
    template = environment.from_string(_TEMPLATE.read_text(encoding="utf-8"))
    shape = training["plan"]["shape"]
    return template.render(figures=figures, training=training, shape=shape, bits=figures["bits"])
