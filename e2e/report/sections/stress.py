"""The section of the stress run."""

from e2e.load.stress import broken
from e2e.report import breaking
from e2e.report.document import Picture, Section, Table, Text
from e2e.report.formats import percent
from e2e.report.graphs import stress
from e2e.report.runs import Folder
from e2e.report.sections.missing import cautions, mark, not_run, short
from e2e.report.sections.tables import HEADER, doubtful, row, table


def breaking_point(folder: Folder) -> Section:
    """Return at which rate the target broke."""
    title = "Stress and breaking point"
    if (run := folder.runs.get("stress")) is None:
        return Section(title, not_run("stress"))
    found, ramp = breaking.curve(run.parts), breaking.ramp_of(run.results)
    if not found.search:
        return Section(title, [*cautions(run), Text("No rate was tried to its end.")])
    if ramp is None:
        return Section(
            title, [*cautions(run), Text("The limits of this scenario are not known."), table(run.parts)]
        )
    judged = breaking.judge(found, ramp)
    rows = [
        [*row(part), broken(part.summary, ramp) or ("not judged" if not part.phase.valid else "no")]
        for part in run.parts
    ]
    header = (*HEADER, "broke")
    picture = Picture(
        "stress_curve.png",
        f"Latency, share of answers and throughput over the rate asked for{mark(run)}. {verdict(judged)}",
        "Hollow points are rates that were tried again to confirm the result.",
        [run.command],
        lambda: stress.draw(found, judged.rate, ramp, short(run.doubts)),
    )
    limits = (
        f"A load counts as too much when fewer than {percent(ramp.success_below)} of its requests are answered or the "
        f"90th percentile of latency is above {ramp.latency_above_seconds:g} s."
    )
    return Section(
        title,
        [
            *cautions(run),
            Text(verdict(judged)),
            Text(limits),
            picture,
            Table(header, rows, doubtful(run.parts)),
        ],
    )


def verdict(judged: breaking.Breaking) -> str:
    """Return what a stress run found, in a sentence."""
    if judged.rate is None:
        tried = f" up to {judged.last_good:g} requests/s" if judged.last_good else ""
        return f"No breaking point was found{tried}."
    good = f"{judged.last_good:g} requests/s were borne" if judged.last_good else "no lower rate was borne"
    again = (
        f"of {judged.tried_again} more valid tries around it {judged.confirmed} came out the same"
        if judged.tried_again
        else "no valid tries confirm it"
    )
    return f"The breaking point is {judged.rate:g} requests/s ({judged.reason}); {good}; {again}."
