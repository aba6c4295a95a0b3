"""Sections of the loads over time: spike and soak."""

from e2e.load.soak import judge as judge_soak
from e2e.report.document import Picture, Section, Table, Text
from e2e.report.formats import mebibytes, number
from e2e.report.graphs import courses
from e2e.report.runs import Folder
from e2e.report.sections.missing import cautions, mark, not_run, short
from e2e.report.sections.tables import alt, table


def spike(folder: Folder) -> Section:
    """Return what a sudden load does, and whether things are as before when it is over."""
    if (run := folder.runs.get("spike")) is None:
        return Section("Spike", not_run("spike"))
    picture = Picture(
        "spike.png",
        f"The rate of requests, and each one's latency, over time; {alt(run.parts)}",
        "Each point is a request.",
        [run.command],
        lambda: courses.spike(run, short(run.doubts)),
    )
    return Section("Spike", [*cautions(run), table(run.parts), picture])


def soak(folder: Folder) -> Section:
    """Return whether memory or latency grows in a long run."""
    if (run := folder.runs.get("soak")) is None:
        return Section("Soak", not_run("soak"))
    if not run.results.phases:
        return Section("Soak", [*cautions(run), Text("The run ended before its load began.")])
    begin, end = courses.span(run)
    judged = judge_soak(run.results.requests, run.results.samples, begin, end)
    rows = [
        [name, f"{number(mebibytes(slope.median))} MiB",
            *(f"{number(mebibytes(one))} MiB/h" for one in (slope.slope, slope.low, slope.high))]
        for name, slope in judged.memory_slope_bytes_per_hour.items()
    ]  # fmt: skip
    if slope := judged.latency_slope_seconds_per_hour:
        rows.append(
            [
                "latency",
                f"{number(slope.median)} s",
                *(f"{number(v)} s/h" for v in (slope.slope, slope.low, slope.high)),
            ]
        )
    picture = Picture(
        "soak.png",
        f"Memory of each replica and latency over time. Verdict{mark(run)}: {judged.verdict}: {judged.reason}",
        "Trends are Theil-Sen slopes without the first fifth of the run, in which caches fill.",
        [run.command],
        lambda: courses.soak(
            run, judged.memory_slope_bytes_per_hour, judged.latency_slope_seconds_per_hour, short(run.doubts)
        ),
    )
    trends = Table(
        ("what", "median", "trend", "95 % from", "95 % to"),
        rows,
        frozenset(range(len(rows)) if run.doubts else ()),
    )
    return Section(
        "Soak",
        [
            *cautions(run),
            Text(f"Verdict{mark(run)}: {judged.verdict}: {judged.reason}."),
            table(run.parts),
            picture,
            trends,
        ],
    )
