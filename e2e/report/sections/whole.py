"""The whole report, its sections in order."""

from e2e.report.document import Report
from e2e.report.prices import Prices
from e2e.report.runs import Folder
from e2e.report.sections.benchmark import benchmark, success
from e2e.report.sections.cost import costs
from e2e.report.sections.courses import soak, spike
from e2e.report.sections.overview import machine, method, reproduction, summary, unmeasured
from e2e.report.sections.scaling import scaling
from e2e.report.sections.stress import breaking_point


def compose(folder: Folder, prices: Prices) -> Report:
    """Return the report of a results folder."""
    return Report(
        "CodeModel: load and scaling",
        (
            summary(folder, prices),
            machine(folder),
            method(folder),
            benchmark(folder),
            success(folder),
            spike(folder),
            breaking_point(folder),
            soak(folder),
            scaling(folder),
            costs(folder, prices),
            unmeasured(folder),
            reproduction(folder),
        ),
    )
