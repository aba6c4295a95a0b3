"""Writes results: JSON with everything, CSV with a line for each request, and a table for the person who waits."""

import csv
import io
import tempfile
from collections.abc import Iterator
from pathlib import Path

from e2e.load.results import Distribution, Phase, Request, Results, SoakFindings, StressFindings

COLUMNS = (
    *(name for name in Request.model_fields if name not in ("phase", "gaps")),
    *("latency", "ttft", "tpot"),
)
"""Of the CSV, after the phase's name: fields of the results' requests, and what follows from them."""


class OutputError(Exception):
    """Results cannot be written; its text says what to do."""


def prepare(folder: Path) -> None:
    """Make the folder for results, before anything is measured in vain.

    Raises:
        OutputError: nothing can be written there.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise OutputError(
            f"{folder} cannot be written to ({error.strerror}): give another one, --output DIR"
        ) from None


def write(results: Results, path: Path) -> tuple[Path, Path]:
    """Write the JSON file and the CSV beside it, each whole or not at all; return their paths.

    Raises:
        OSError: they cannot be written (any more): see ``prepare``.
    """
    beside = path.with_suffix(".csv")
    for file, text in ((path, results.model_dump_json()), (beside, _csv(results))):
        part = file.with_name(f".{file.name}.part")
        part.write_text(text, encoding="utf-8")
        part.replace(file)
    return path, beside


def _csv(results: Results) -> str:
    lines = [["phase", *COLUMNS]]
    for request in results.requests:
        values = (getattr(request, column) for column in COLUMNS)
        lines.append([results.phases[request.phase].name, *("" if v is None else str(v) for v in values)])
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(lines)
    return text.getvalue()


def table(results: Results) -> Iterator[str]:
    """Yield the lines that sum a run up."""
    yield (
        f"{results.scenario} ({results.profile}) on {results.target}: "
        f"{len(results.requests)} requests" + ("" if results.finished else ", stopped before its end")
    )
    heads = (
        ("requests", 9),
        ("success", 9),
        ("per s", 8),
        ("tokens/s", 10),
        ("p50 s", 9),
        ("p99 s", 9),
        ("TTFT p50", 10),
    )
    yield f"  {'phase':<22}" + "".join(name.rjust(width) for name, width in heads)
    for phase in results.phases:
        yield _row(phase)
        for problem in phase.problems:
            yield f"    INVALID: {problem}"
    match results.findings:
        case StressFindings(breaking_point_rate=None) as found:
            yield f"  no breaking point: {found.reason}"
        case StressFindings() as found:
            confirmed = sum(each.confirmed for each in found.confirmations)
            yield (
                f"  breaks at {found.breaking_point_rate:g} requests per second ({found.reason}); "
                f"confirmed {confirmed} of {len(found.confirmations)} times"
            )
        case SoakFindings() as found:
            yield f"  {found.verdict}: {found.reason}"


def _row(phase: Phase) -> str:
    summary = phase.summary
    success = "-" if summary.success_rate is None else f"{summary.success_rate:.1%}"
    return (
        f"  {phase.name:<22}{summary.requests:>9}{success:>9}{summary.achieved_rate:>8.2f}"
        f"{summary.tokens_per_second:>10.1f}{_seconds(summary.latency, 'p50'):>9}"
        f"{_seconds(summary.latency, 'p99'):>9}{_seconds(summary.ttft, 'p50'):>10}"
    )


def _seconds(figure: Distribution | None, name: str) -> str:
    return f"{getattr(figure, name):.3f}" if figure else "-"
