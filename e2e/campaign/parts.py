"""What a campaign consists of, and what of it is left to do. Reads results files, and does nothing else."""

import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from e2e.cluster import settings
from e2e.load.results import ResultsError, read
from e2e.timeline.steps import TimelineFileError
from e2e.timeline.steps import read as read_timeline

AUTOSCALE = "autoscale"
MOST = 5
TIMELINE = "scaling.json"
ENTRIES = "timeline.jsonl"
_AUTOSCALE_FILE = str(Path(__file__).with_name("autoscale.yaml").relative_to(settings.ROOT))
"""From the checkout, where modules are run, so that the command in the results is good on every machine."""

COOLDOWNS = {"full": 300, "ci": 30}
"""scaleDownCooldownSeconds of the autoscaled CodeModel, by profile."""

_ONE = {
    "resources": {"requests": {"cpu": "100m"}, "limits": {"cpu": "1"}},
    "scaling": {"minReplicas": 1, "maxReplicas": 1},
}
"""One replica of one core: what it can do is then a figure of a replica, whatever the machine."""

_TWO = {**_ONE, "scaling": {"minReplicas": 2, "maxReplicas": 2}}
"""A soak asks what changes in time: so it is served by what bears its load. On slow machines one replica does not."""


@dataclass(frozen=True)
class Part:
    """A scenario of the campaign."""

    scenario: str
    results: str
    """Name of its results file."""

    path: str = ""
    """The file of the scenario, where it is not one that codemodel-load knows by name."""

    change: dict[str, Any] = field(default_factory=lambda: _ONE)
    """What is merged into the spec of the CodeModel."""


def parts(profile: str) -> list[Part]:
    """Return the parts in the order in which they run."""
    scaled = {
        # Use is at most 125 % of the request: 1 → 2 → 4 → 5 replicas, and five of them fit on two cores.
        "resources": {"requests": {"cpu": "120m"}, "limits": {"cpu": "150m"}},
        "scaling": {"maxReplicas": MOST, "target": 70, "scaleDownCooldownSeconds": COOLDOWNS[profile]},
    }
    return [
        Part("benchmark", "benchmark_results.json"),
        Part("spike", "spike.json"),
        Part("stress", "stress.json"),
        Part(AUTOSCALE, "autoscale.json", _AUTOSCALE_FILE, scaled),
        Part("soak", "soak.json", change=_TWO),
    ]


def finished(part: Part, folder: Path, profile: str) -> bool:
    """Whether a folder has complete and valid results of a part."""
    try:
        results = read(folder / part.results)
        if part.scenario == AUTOSCALE:
            read_timeline(folder / TIMELINE)
    except (ResultsError, TimelineFileError):
        return False
    return results.finished and results.valid and results.profile == profile


def load_command(part: Part, target: str, folder: Path, profile: str) -> list[str]:
    """Return the command line that runs a part's load."""
    program = [sys.executable, "-m", "e2e.load", "run", part.path or part.scenario]
    return [*program, "--target", target, "--profile", profile, "--output", str(folder)]


def ended(status: int) -> list[str]:
    """Return what the exit status of codemodel-load tells, in words; nothing if all is well."""
    match status:
        case 0:
            return []
        case 1:
            return [
                "the load is not valid (see above): run the same command again when the machine has less to do"
            ]
        case _:
            return [f"codemodel-load ended with status {status}: see above"]


def report_command(folder: Path) -> list[str]:
    """Return the command line that writes the report."""
    return [sys.executable, "-m", "e2e.report", str(folder)]
