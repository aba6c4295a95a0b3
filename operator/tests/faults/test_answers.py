"""Every verb meets every bad answer: refused, failed, or done and not told."""

from concurrent.futures import ThreadPoolExecutor
from functools import partial
from http import HTTPStatus

import pytest

from ..control_plane.bench import Bench
from ..tally import count_runs
from .faults import answer, cut
from .proxy import Fault
from .requests import VERBS, Request
from .runs import Expectations, Run, all_of
from .scenarios import UPDATE

_FAILING = 2
"""The first requests of a verb on each resource meet the fault."""

_ANSWERS = {
    "409": answer(HTTPStatus.CONFLICT),
    "429": answer(HTTPStatus.TOO_MANY_REQUESTS),
    "500": answer(HTTPStatus.INTERNAL_SERVER_ERROR),
    "reset": cut(),
    "409 after commit": answer(HTTPStatus.CONFLICT, commit=True),
    "500 after commit": answer(HTTPStatus.INTERNAL_SERVER_ERROR, commit=True),
    "504 after commit": answer(HTTPStatus.GATEWAY_TIMEOUT, commit=True),
    "reset after commit": cut(commit=True),
}
_READS = ("get", "list", "watch")


@pytest.mark.timeout(600)
@pytest.mark.parametrize("verb", VERBS)
def test_bad_answers(
    bench: Bench, expectations: Expectations, together: ThreadPoolExecutor, verb: str
) -> None:
    expectations.of(UPDATE)
    # What is read leaves nothing behind that was not told.
    names = [name for name in _ANSWERS if verb not in _READS or "commit" not in name]
    hits = all_of(together, (partial(_answered, bench, expectations, verb, name) for name in names))
    assert all(hits)
    count_runs(f"with bad answers to {verb}", len(hits))


def _answered(bench: Bench, expectations: Expectations, verb: str, name: str) -> int:
    """Return how many requests met the fault."""
    hits = 0

    def rule(request: Request) -> Fault | None:
        nonlocal hits
        if request.verb != verb or request.nth > _FAILING or request.starting:
            return None
        hits += 1
        return _ANSWERS[name]

    with Run.begun(bench) as run:
        # No API server answers these so; kopf gives up, and the operator is started again.
        run.supervised = verb in _READS and name == "409"
        run.proxy.obey(rule)
        run.prepare(UPDATE)
        # Deleting and watching begin anew with the change; so does the count.
        run.proxy.obey(rule)
        run.act(UPDATE)
        run.comes_to(expectations.of(UPDATE))
        return hits
