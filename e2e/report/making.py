"""Makes a report: reads a results folder, draws, writes. The report's only I/O besides reading is here."""

from collections.abc import Callable
from pathlib import Path

from e2e.report import prices, runs
from e2e.report.document import Report
from e2e.report.errors import ReportError
from e2e.report.render import html, markdown
from e2e.report.sections.whole import compose
from e2e.report.style import save, styled

MARKDOWN, HTML = "report.md", "report.html"

GRAPHS = (
    "latency_comparison.png", "throughput_comparison.png", "ttft_ecdf.png", "success_rate.png", "spike.png",
    "stress_curve.png", "soak.png", "autoscaling_timeline.png",
)  # fmt: skip
"""Every graph that a report may have."""


def make(results: Path, output: Path, price_list: Path, say: Callable[[str], None]) -> list[Path]:
    """Write report.md, report.html and the graphs, and remove graphs of a report before that this one does not have.

    Args:
        results: the results folder.
        output: where to write; made if it is not there.
        price_list: the file of prices.
        say: is told what is done.

    Returns:
        The files that were written, the page first.

    Raises:
        ReportError: something of it cannot be read or written.
    """
    folder = runs.read(results)
    report = compose(folder, prices.read(price_list))
    try:
        output.mkdir(parents=True, exist_ok=True)
        images = _draw(report, output, say)
        for stale in set(GRAPHS) - images.keys():
            (output / stale).unlink(missing_ok=True)
        _write(output / HTML, html(report, images).encode())
        _write(output / MARKDOWN, markdown(report).encode())
    except OSError as error:
        raise ReportError(
            f"the report cannot be written: {error}: give another folder with --output"
        ) from error
    return [output / HTML, output / MARKDOWN, *(output / file for file in images)]


def _draw(report: Report, output: Path, say: Callable[[str], None]) -> dict[str, bytes]:
    images = {}
    with styled():
        for number, picture in enumerate(report.pictures, 1):
            say(f"drawing {number} of {len(report.pictures)}: {picture.file}")
            png = save(picture.draw())
            _write(output / picture.file, png)
            images[picture.file] = png
    return images


def _write(path: Path, content: bytes) -> None:
    """Whole or not at all: nobody opens half a page after Ctrl-C."""
    part = path.with_name(f".{path.name}.part")
    part.write_bytes(content)
    part.replace(path)
