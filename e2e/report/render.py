"""A report as Markdown and as one HTML page. Pure, but for reading the templates."""

import base64
import re
from collections.abc import Mapping

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from e2e.report.document import Caution, Command, Items, Picture, Report, Table, Text

_SPECIAL = re.compile(r"([\\`*_\[\]<>|#])")


def markdown(report: Report) -> str:
    """Return the report in Markdown; its graphs are files beside it."""
    text = _environment().get_template("report.md.j2").render(report=report)
    return re.sub(r"\n{3,}", "\n\n", text).strip() + "\n"


def html(report: Report, images: Mapping[str, bytes]) -> str:
    """Return the report as a page that needs no other file.

    Args:
        report: what to write.
        images: the PNG of each of its pictures, by file name.
    """
    encoded = {
        file: f"data:image/png;base64,{base64.b64encode(png).decode()}" for file, png in images.items()
    }
    return _environment().get_template("report.html.j2").render(report=report, images=encoded)


def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("e2e.report"),
        autoescape=select_autoescape(["html.j2"]),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["markdown"] = _escaped
    for kind in (Text, Caution, Command, Items, Table, Picture):
        environment.tests[kind.__name__.lower()] = lambda block, kind=kind: isinstance(block, kind)
    return environment


def _escaped(text: str) -> str:
    """Text as Markdown shows it, whatever characters are in it: names and errors come from elsewhere."""
    return _SPECIAL.sub(r"\\\1", " ".join(text.split()))
