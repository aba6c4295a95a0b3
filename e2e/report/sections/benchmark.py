"""Sections of the loads beside one another: success, latency, throughput and first tokens."""

from e2e.report.document import Block, Items, Picture, Section, Text
from e2e.report.formats import number, percent
from e2e.report.graphs import comparison
from e2e.report.runs import Folder, Run
from e2e.report.sections.missing import cautions, not_run, short
from e2e.report.sections.tables import alt, table


def success(folder: Folder) -> Section:
    """Return the share of answered requests of every load but the stress run's, which is meant to fail."""
    shown = [run for scenario, run in folder.runs.items() if scenario != "stress"]
    parts = [(run.scenario, part) for run in shown for part in run.parts if part.requests]
    if not parts:
        return Section("Success", [Text("No load was run whose requests are all meant to be answered.")])
    doubts = [doubt for run in shown for doubt in run.doubts]
    picture = Picture(
        "success_rate.png",
        "Bars of the share of requests that were answered: "
        + "; ".join(
            f"{scenario}, {part.label}: {percent(part.summary.success_rate)}" for scenario, part in parts
        ),
        "Answered means: completely, with status 200. What was refused with 429 counts as not answered.",
        [run.command for run in shown],
        lambda: comparison.success(parts, short(doubts)),
    )
    failed = [
        f"{scenario}, {part.label}: "
        + ", ".join(f"{status}: {count}" for status, count in part.summary.by_status.items())
        for scenario, part in parts
        if part.summary.success_rate != 1
    ]
    told: list[Block] = [Text("By status, where not all were answered:"), Items(failed)] if failed else []
    return Section("Success", [picture, *told])


def benchmark(folder: Folder) -> Section:
    """Return how latency and throughput change with the number of clients."""
    if (run := folder.runs.get("benchmark")) is None:
        return Section("Latency and throughput", not_run("benchmark"))
    parts, doubts = run.parts, short(run.doubts)
    bounds = run.results.goodput
    return Section(
        "Latency and throughput",
        [
            *cautions(run),
            table(parts),
            Text(
                f"Within bounds: a first token after {bounds.ttft_seconds:g} s at most, and each later one after "
                f"{1000 * bounds.tpot_seconds:g} ms on average at most."
            ),
            Picture(
                "latency_comparison.png",
                f"Bars of latency and of the time to the first token; latency: {alt(parts)}",
                "From the moment that a request was scheduled, so that a late generator hides nothing.",
                [run.command],
                lambda: comparison.latency(parts, doubts),
            ),
            Picture(
                "throughput_comparison.png",
                "Bars of answers and tokens a second; answers/s: "
                + "; ".join(f"{part.label}: {number(part.summary.achieved_rate)}" for part in parts),
                "Complete answers only, over the time until the last of them.",
                [run.command],
                lambda: comparison.throughput(parts, doubts),
            ),
            *_first_tokens(run),
        ],
    )


def _first_tokens(run: Run) -> list[Block]:
    parts = [part for part in run.parts if part.summary.ttft]
    if not parts:
        return [Text("Answers did not stream, so there is no time to the first token.")]
    return [
        Picture(
            "ttft_ecdf.png",
            "Empirical distribution functions of the time to the first token; medians: "
            + "; ".join(
                f"{part.label}: {number(part.summary.ttft.p50)} s" for part in parts if part.summary.ttft
            ),
            "Every answer is a step. The dotted line is the bound that goodput is counted with.",
            [run.command],
            lambda: comparison.first_tokens(parts, run.results.goodput.ttft_seconds, short(run.doubts)),
        )
    ]
