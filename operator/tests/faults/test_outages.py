"""The API server is away: when the operator starts, and for longer than anybody pauses between two attempts."""

from concurrent.futures import Future
from http import HTTPStatus

import pytest

from ..control_plane.bench import Bench
from ..tally import count_runs
from .faults import answer, cut
from .outages import OUTAGES
from .proxy import Fault, no_faults
from .runs import Expectations, Run, look_until
from .scenarios import CREATE


@pytest.mark.timeout(600)
@pytest.mark.parametrize("kind", OUTAGES)
def test_away_for_minutes(outages: dict[str, Future[float]], kind: str) -> None:
    """They have been under way since the first test."""
    seconds = outages[kind].result()
    count_runs(f"with the API server {kind}, over after {seconds:.0f} s")


@pytest.mark.parametrize(
    "fault", [cut(), answer(HTTPStatus.INTERNAL_SERVER_ERROR)], ids=["unreachable", "failing"]
)
def test_away_at_the_start(bench: Bench, expectations: Expectations, fault: Fault) -> None:
    """It ends with an error that says so; what starts it again waits longer each time."""
    with Run.begun(bench) as run:
        run.proxy.obey(lambda _: fault)
        run.start()
        look_until(lambda: run.ended, what="the operator to end")
        assert "Cannot start" in run.log
        assert "Traceback" not in run.log
        run.proxy.obey(no_faults)
        run.start()
        run.act(CREATE)
        run.comes_to(expectations.of(CREATE))
    count_runs("with the API server away at the start")
