"""Watches break, expire, go deaf and lag behind while users change things."""

from concurrent.futures import ThreadPoolExecutor
from functools import partial
from http import HTTPStatus

import pytest

from ..control_plane.bench import Bench
from ..tally import count_runs
from .faults import Deafness, Past, answer, cut, cut_after_head, expire, fail, tear
from .proxy import Fault, no_faults
from .requests import Request
from .runs import Expectations, Run, all_of, look_until
from .scenarios import CREATE, DELETE, RECREATE, UPDATE, Scenario, create

_BROKEN = 2
"""The first watches of each kind are; then the network is whole again."""

_WATCH_FAULTS = {
    "reset before it is established": cut(),
    "reset when it is established": cut_after_head,
    "refused as expired": answer(HTTPStatus.GONE),
    "expired at once": expire(0),
    "expired after an event": expire(1),
    "failed at once": fail(0),
    "failed after an event": fail(1),
    "torn in its first event": tear(0),
    "torn in a later event": tear(2),
}
_ENDING = ("refused as expired", "failed at once", "failed after an event")
"""kopf gives up after these, so the operator ends with an error that says so, and is started again."""


@pytest.mark.parametrize("scenario", [CREATE, UPDATE, RECREATE], ids=lambda scenario: scenario.name)
def test_broken_watches(
    bench: Bench, expectations: Expectations, together: ThreadPoolExecutor, scenario: Scenario
) -> None:
    expectations.of(scenario)
    broken = all_of(
        together,
        (partial(_with_watches, bench, expectations, scenario, fault) for fault in _WATCH_FAULTS),
    )
    assert all(broken)
    count_runs(f"with broken watches ({scenario.name})", len(broken))


def _with_watches(bench: Bench, expectations: Expectations, scenario: Scenario, fault: str) -> int:
    """Return how many watches were broken."""
    hits = 0

    def rule(request: Request) -> Fault | None:
        nonlocal hits
        if request.verb != "watch" or request.nth > _BROKEN:
            return None
        hits += 1
        return _WATCH_FAULTS[fault]

    with Run.begun(bench) as run:
        run.supervised = fault in _ENDING
        run.proxy.obey(rule)
        run.prepare(scenario)
        run.act(scenario)
        run.comes_to(expectations.of(scenario))
        return hits


@pytest.mark.parametrize("scenario", [UPDATE, RECREATE], ids=lambda scenario: scenario.name)
def test_events_that_are_never_told(bench: Bench, expectations: Expectations, scenario: Scenario) -> None:
    """Several changes are seen as one: the history is gone when the watch is answered again."""
    deafness = Deafness(bench.background)
    with Run.begun(bench) as run:
        run.proxy.obey(lambda request: deafness.fault if request.verb == "watch" else None)
        # What is there before is found by listing.
        create(bench.api, run.namespace)
        run.start()
        look_until(lambda: run.watches("codemodels"), what="the watch of CodeModels")
        look_until(lambda: bench.api.list("Pod", run.namespace), what="the first pod")
        run.act(scenario)
        run.proxy.obey(no_faults)
        deafness.end()
        run.comes_to(expectations.of(scenario))
    count_runs("with events that are never told")


@pytest.mark.parametrize("scenario", [UPDATE, DELETE, RECREATE], ids=lambda scenario: scenario.name)
def test_stale_lists_after_a_restart(bench: Bench, expectations: Expectations, scenario: Scenario) -> None:
    """The restarted operator sees the world before the user's change, and only later what has become of it."""
    past = Past(bench.background)
    change = scenario.afterwards or scenario.act
    with Run.begun(bench) as run:
        create(bench.api, run.namespace)
        run.start()
        run.rests()
        run.kill()
        run.proxy.obey(past.rule)
        run.start()
        look_until(lambda: run.watches("pods") and run.watches("codemodels"), what="lists to be kept")
        run.kill()
        change(bench.api, run.namespace)
        past.begin()
        run.proxy.obey(past.rule)
        run.start()
        look_until(lambda: run.watches("pods") and run.watches("codemodels"), what="stale lists to be read")
        assert any(request.verb == "list" for request in run.proxy.requests)
        past.end()
        run.comes_to(expectations.of(scenario))
    count_runs("with stale lists after a restart")
