"""The command ``codemodel-load report``."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from e2e.report.errors import ReportError
from e2e.report.making import make
from e2e.report.prices import DEFAULT

_USAGE, _STOPPED = 2, 130


def add(commands: "argparse._SubParsersAction[Any]") -> None:
    """Add the subcommand ``report`` to a command; it is run by calling the parsed arguments' ``handler`` with them."""
    parser = commands.add_parser(
        "report", help="make graphs and a report from results", description=_DESCRIPTION
    )
    _arguments(parser)


def main(arguments: Sequence[str] | None = None) -> int:
    """``python -m e2e.report RESULTS``: the same without the command around it.

    Returns:
        0; 2 if something cannot be read or written; 130 after Ctrl-C.
    """
    parser = argparse.ArgumentParser(prog="python -m e2e.report", description=_DESCRIPTION)
    _arguments(parser)
    parsed = parser.parse_args(arguments)
    try:
        return report(parsed)
    except KeyboardInterrupt:
        sys.stderr.write("\nStopped.\n")
        return _STOPPED


def report(parsed: argparse.Namespace) -> int:
    """Make the report that the parsed arguments ask for; return the exit code."""
    try:
        files = make(parsed.results, parsed.output or parsed.results, parsed.prices, _say)
    except ReportError as error:
        sys.stderr.write(f"codemodel-load report: {error}\n")
        return _USAGE
    sys.stdout.write("".join(f"{file}\n" for file in files))
    return 0


_DESCRIPTION = (
    "Make report.html (one page that needs no other file), report.md and its graphs from a folder of results, as "
    "`codemodel-load run` and `make report` write them. What was not run is left out, and the report says so."
)


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("results", type=Path, metavar="RESULTS", help="folder with the results' JSON files")
    parser.add_argument(
        "--output", type=Path, metavar="DIR", help="where to write the report (default: RESULTS)"
    )
    parser.add_argument(
        "--prices", type=Path, default=DEFAULT, metavar="FILE",
        help="YAML with prices of machines (default: the one of this package, whose form it has to have)",
    )  # fmt: skip
    parser.set_defaults(handler=report)


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()
