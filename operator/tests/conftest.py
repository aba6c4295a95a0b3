"""What the folders of tests share."""

from collections.abc import Iterator

import pytest

from .control_plane.bench import Bench, bench
from .tally import RUNS


@pytest.fixture(scope="session")
def control_plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    """A real API server of the tests' own; it starts in a few seconds, once."""
    with bench(tmp_path_factory.mktemp("control-plane")) as started:
        yield started


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if RUNS:
        terminalreporter.section(f"{RUNS.total()} runs on a control plane")
        for what, number in RUNS.items():
            terminalreporter.write_line(f"{number:5} {what}")
