"""Pods for the operator's Deployments, and room for runs side by side."""

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from ..control_plane.bench import Bench
from .outages import OUTAGES, outage
from .runs import Expectations

_AT_ONCE = 6
"""Runs that are under way together: most of each is waiting."""


@pytest.fixture(scope="package")
def bench(control_plane: Bench) -> Iterator[Bench]:
    with control_plane.rollouts():
        yield control_plane


@pytest.fixture(scope="package")
def expectations(bench: Bench) -> Expectations:
    return Expectations(bench)


@pytest.fixture(scope="package")
def together(bench: Bench) -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="run") as executor:
        yield executor


@pytest.fixture(scope="package")
def outages(bench: Bench, expectations: Expectations) -> Iterator[dict[str, Future[float]]]:
    with ThreadPoolExecutor(len(OUTAGES), thread_name_prefix="outage") as executor:
        yield {kind: executor.submit(outage, bench, expectations, kind) for kind in OUTAGES}


@pytest.fixture(scope="package", autouse=True)
def outages_under_way(request: pytest.FixtureRequest) -> None:
    """Let them begin with the first test of this folder, if one of these tests waits for them: they take minutes."""
    if any("outages" in getattr(item, "fixturenames", ()) for item in request.session.items):
        request.getfixturevalue("outages")
