"""Outages that last until every backoff has reached its maximum: minutes, so they run beside other tests."""

import time
from http import HTTPStatus

from ..control_plane.bench import Bench
from .faults import answer, cut
from .proxy import Proxy, no_faults
from .runs import Expectations, Run, look_until
from .scenarios import UPDATE

OUTAGES = {"unreachable": cut(), "failing": answer(HTTPStatus.INTERNAL_SERVER_ERROR)}

_SECONDS = 400

_RECONCILES = 10
"""The pause after so many failures is the longest: 0.2 s x 2⁹ is more than its maximum of 60 s."""

_LONGEST_PAUSE = 60
"""Seconds, see `WorkQueue`."""

_WATCHES = 12
"""kopf by itself gives up after nine attempts."""


def outage(bench: Bench, expectations: Expectations, kind: str) -> float:
    """Run the operator through an outage, while the user changes something; return how many seconds it took."""
    fault = OUTAGES[kind]
    with Run.begun(bench) as run:
        run.prepare(UPDATE)
        run.proxy.obey(lambda _: fault)
        # Watches that are open already tell of the change, so that a reconcile fails.
        run.act(UPDATE)
        started = time.monotonic()
        look_until(lambda: _attempts(run.proxy, "get", "codemodels"), what="a reconcile to fail")
        run.proxy.disconnect()
        look_until(lambda: _over(run), what="every pause to be the longest", seconds=_SECONDS)
        seconds = time.monotonic() - started
        run.proxy.obey(no_faults)
        run.comes_to(expectations.of(UPDATE), seconds=_LONGEST_PAUSE + 30)
        return seconds


def _over(run: Run) -> bool:
    assert not run.ended, run.log
    watches = _attempts(run.proxy, "list", "codemodels") + _attempts(run.proxy, "watch", "codemodels")
    return _attempts(run.proxy, "get", "codemodels") >= _RECONCILES and watches >= _WATCHES


def _attempts(proxy: Proxy, verb: str, resource: str) -> int:
    return sum((request.verb, request.resource) == (verb, resource) for request in proxy.requests)
