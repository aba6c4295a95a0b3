"""A results folder, read and computed anew: what the report knows. Reading is the only I/O here."""

import math
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from e2e.load.results import Phase, Request, Results, ResultsError, Summary
from e2e.load.results import read as read_results
from e2e.load.statistics import summarise
from e2e.report.errors import ReportError
from e2e.timeline.steps import ScaleTimeline, TimelineFileError
from e2e.timeline.steps import read as read_timeline

FILES: Mapping[str, str] = {
    "benchmark": "benchmark_results.json",
    "spike": "spike.json",
    "stress": "stress.json",
    "soak": "soak.json",
    "autoscale": "autoscale.json",
}
"""The scenarios that a report tells of, and the file of each in the results folder."""

TIMELINE = "scaling.json"

_ROUNDING = 1e-3
"""The file's times are rounded, and what was summed up before that may differ by so much."""


@dataclass(frozen=True)
class Part:
    """A phase of a run, with its figures computed anew from the raw requests."""

    phase: Phase
    requests: tuple[Request, ...]
    summary: Summary
    """Of the requests; not the summary that stands in the file."""

    finished: bool
    """Of the whole run."""

    @property
    def label(self) -> str:
        """The phase's name, followed by what speaks against relying on it."""
        doubts = [*([] if self.phase.valid else ["invalid"]), *([] if self.finished else ["unfinished"])]
        return f"{self.phase.name} ({', '.join(doubts)})" if doubts else self.phase.name

    @property
    def doubtful(self) -> bool:
        """Whether its figures are not to be relied on."""
        return not (self.phase.valid and self.finished)

    @property
    def load(self) -> str:
        """The arrivals in words."""
        arrivals = self.phase.arrivals
        if arrivals.kind == "closed":
            return f"{arrivals.clients} client{'' if arrivals.clients == 1 else 's'}"
        return f"{arrivals.rate:g} requests/s, {arrivals.kind}"


@dataclass(frozen=True)
class Run:
    """A scenario's results."""

    scenario: str
    file: str
    results: Results

    @cached_property
    def parts(self) -> tuple[Part, ...]:
        """The phases, in the order that they ran in."""
        return tuple(self._parts())

    def _parts(self) -> Iterator[Part]:
        results = self.results
        for number, phase in enumerate(results.phases):
            requests = tuple(request for request in results.requests if request.phase == number)
            summary = summarise(requests, phase.begin, phase.end, results.goodput)
            yield Part(phase, requests, summary, results.finished)

    @property
    def command(self) -> str:
        """What to type to run it again."""
        return shlex.join(self.results.command)

    @property
    def doubts(self) -> list[str]:
        """What speaks against relying on the figures, in words."""
        found = [] if self.results.finished else [f"{self.scenario}: the run is unfinished"]
        for part in self.parts:
            if not part.phase.valid:
                why = "; ".join(part.phase.problems) or "the generator was the bottleneck"
                found.append(f"{self.scenario}, {part.phase.name}: invalid: {why}")
        return found

    @property
    def contradictions(self) -> list[str]:
        """Phases whose summary in the file is not what their requests amount to."""
        return [
            f"{self.file}: the summary of {part.phase.name} is not what its requests amount to; the latter counts"
            for part in self.parts
            if not _same(part.summary, part.phase.summary)
        ]


@dataclass(frozen=True)
class Folder:
    """All that a report is made from."""

    runs: Mapping[str, Run]
    """By scenario; those that were not run are not there."""

    timeline: ScaleTimeline | None


def read(folder: Path) -> Folder:
    """Read a results folder.

    Raises:
        ReportError: it is no folder, has no results, or one of its files is not what its name says.
    """
    if not folder.is_dir():
        raise ReportError(
            f"{folder} is no folder: give the one that `codemodel-load run` wrote its results to"
        )
    try:
        runs = {
            scenario: _run(scenario, folder / file)
            for scenario, file in FILES.items()
            if (folder / file).exists()
        }
        timeline = read_timeline(folder / TIMELINE) if (folder / TIMELINE).exists() else None
    except (ResultsError, TimelineFileError) as error:
        raise ReportError(" ".join(str(error).split())) from error
    except UnicodeDecodeError as error:
        raise ReportError(f"{folder / TIMELINE} is no text: record it again with `make report`") from error
    if not runs and timeline is None:
        names = ", ".join([*FILES.values(), TIMELINE])
        raise ReportError(
            f"{folder} has none of {names}: run a scenario first, `codemodel-load run benchmark --output {folder}`"
        )
    return Folder(runs, timeline)


def _run(scenario: str, path: Path) -> Run:
    results = read_results(path)
    if wrong := next((r.phase for r in results.requests if not 0 <= r.phase < len(results.phases)), None):
        raise ReportError(
            f"{path}: a request belongs to phase {wrong}, and there are {len(results.phases)}: the file was "
            "changed or cut; run the scenario again"
        )
    return Run(scenario, path.name, results)


def _same(ours: Summary, theirs: Summary) -> bool:
    """Whether two summaries agree but for rounding."""
    return _near(ours.model_dump(), theirs.model_dump())


def _near(ours: object, theirs: object) -> bool:
    if isinstance(ours, dict) and isinstance(theirs, dict):
        return ours.keys() == theirs.keys() and all(_near(ours[key], theirs[key]) for key in ours)
    if isinstance(ours, float) and isinstance(theirs, int | float):
        return math.isclose(ours, theirs, rel_tol=_ROUNDING, abs_tol=_ROUNDING)
    return ours == theirs
