"""The table of loads that several sections share."""

from collections.abc import Sequence

from e2e.load.results import Distribution
from e2e.report.document import Table
from e2e.report.formats import NOTHING, number, percent
from e2e.report.runs import Part

HEADER = (
    "load", "arrivals", "requests", "answered", "answers/s", "tokens/s", "latency p50, s", "p90, s", "p99, s",
    "first token p50, s", "p99, s", "per token p50, ms", "within bounds",
)  # fmt: skip


def table(parts: Sequence[Part]) -> Table:
    """Return the figures of loads, a row each."""
    return Table(HEADER, [row(part) for part in parts], doubtful(parts))


def row(part: Part) -> list[str]:
    """Return the figures of a load, as :data:`HEADER` names them."""
    summary = part.summary
    return [
        part.label,
        part.load,
        str(summary.requests),
        percent(summary.success_rate),
        number(summary.achieved_rate),
        number(summary.tokens_per_second),
        *_figures(summary.latency, "p50", "p90", "p99"),
        *_figures(summary.ttft, "p50", "p99"),
        number(1000 * summary.tpot.p50) if summary.tpot else NOTHING,
        percent(summary.goodput_fraction),
    ]


def _figures(distribution: Distribution | None, *names: str) -> list[str]:
    return [number(getattr(distribution, name)) if distribution else NOTHING for name in names]


def doubtful(parts: Sequence[Part]) -> frozenset[int]:
    """Return the numbers of the rows that are not to be relied on."""
    return frozenset(number for number, part in enumerate(parts) if part.doubtful)


def alt(parts: Sequence[Part]) -> str:
    """Return latencies in words, for who cannot see a graph of them."""
    return "; ".join(
        f"{part.label}: p50 {number(part.summary.latency.p50)} s, p99 {number(part.summary.latency.p99)} s"
        if part.summary.latency
        else f"{part.label}: nothing answered"
        for part in parts
    )
