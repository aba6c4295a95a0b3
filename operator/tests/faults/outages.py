"""Outages that last until every backoff has reached its maximum: minutes, so they run beside other tests."""

import time
from http import HTTPStatus

from ..control_plane.bench import Bench
from .faults import answer, cut, silent
from .proxy import Fault, Proxy, no_faults
from .runs import Expectations, Run, look_until
from .scenarios import UPDATE

_ANSWERS = {"unreachable": cut(), "failing": answer(HTTPStatus.INTERNAL_SERVER_ERROR)}
OUTAGES = (*_ANSWERS, "silent")
"""Silent: watches are established and never tell anything again, nor end."""

_SECONDS = 400

_RECONCILES = 10
"""The pause after so many failures is the longest: 0.2 s x 2⁹ is more than its maximum of 60 s."""

_LONGEST_PAUSE = 70
"""Seconds: 60 between two reconciles (`WorkQueue`), 70 until a silent watch is given up (`configure`)."""

_WATCHES = 12
"""kopf by itself gives up after nine attempts."""


def outage(bench: Bench, expectations: Expectations, kind: str) -> float:
    """Run the operator through an outage while the user changes something; return how many seconds it took."""
    with Run.begun(bench) as run:
        run.prepare(UPDATE)
        started = time.monotonic()
        if kind == "silent":
            _is_silent(run)
        else:
            _is_away(run, _ANSWERS[kind])
        run.proxy.obey(no_faults)
        run.comes_to(expectations.of(UPDATE), seconds=_LONGEST_PAUSE + 30)
        return time.monotonic() - started


def _is_away(run: Run, fault: Fault) -> None:
    run.proxy.obey(lambda _: fault)
    # Watches that are open already tell of the change, so that a reconcile fails.
    run.act(UPDATE)
    look_until(lambda: _attempts(run.proxy, "get", "codemodels"), what="a reconcile to fail")
    run.proxy.disconnect()
    look_until(lambda: _over(run), what="every pause to be the longest", seconds=_SECONDS)


def _is_silent(run: Run) -> None:
    run.proxy.obey(lambda request: silent if request.verb == "watch" else None)
    run.proxy.disconnect()
    look_until(lambda: run.watches("codemodels"), what="the watch of CodeModels")
    run.act(UPDATE)


def _over(run: Run) -> bool:
    assert not run.ended, run.log
    watches = _attempts(run.proxy, "list", "codemodels") + _attempts(run.proxy, "watch", "codemodels")
    return _attempts(run.proxy, "get", "codemodels") >= _RECONCILES and watches >= _WATCHES


def _attempts(proxy: Proxy, verb: str, resource: str) -> int:
    return sum((request.verb, request.resource) == (verb, resource) for request in proxy.requests)
