"""What stands where a scenario was not run, and what warns where a run is not to be relied on."""

from collections.abc import Sequence

from e2e.report.document import Block, Caution, Command, Text
from e2e.report.runs import FILES, Run

_MOST = 3
_LONGEST = 220


def not_run(scenario: str) -> list[Block]:
    """Return a sentence that says so, and how to run it."""
    return [
        Text(f"This was not run: the results folder has no {FILES[scenario]}. To have it in the report:"),
        Command(f"codemodel-load run {scenario} --output RESULTS && codemodel-load report RESULTS"),
    ]


def cautions(run: Run) -> list[Block]:
    """Return a paragraph for everything that speaks against relying on a run."""
    return [Caution(f"Not to be relied on: {doubt}.") for doubt in [*run.doubts, *run.contradictions]]


def mark(*runs: Run) -> str:
    """Return what is put behind a finding of these runs: nothing, if it can be relied on."""
    return " (not to be relied on)" if any(run.doubts for run in runs) else ""


def short(doubts: Sequence[str]) -> list[str]:
    """Return doubts as there is room for in a graph."""
    lines = [doubt if len(doubt) <= _LONGEST else f"{doubt[: _LONGEST - 1]}…" for doubt in doubts[:_MOST]]
    more = len(doubts) - _MOST
    return [*lines, f"and {more} more, see the report"] if more > 0 else lines
