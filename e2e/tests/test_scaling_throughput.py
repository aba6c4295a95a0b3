"""More replicas answer more: with an engine that waits, not computes, so that a small machine has cores for all."""

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import httpx
import pytest

from e2e import chat
from e2e.api import Api
from e2e.applying import apply, wait_until_ready
from e2e.codemodels import READY_SECONDS
from e2e.load.driver import Plan, running
from e2e.load.results import Request
from e2e.timeline.autoscaler import SYNC_SECONDS
from e2e.waiting import until

NAME = "paced"
URL = "http://127.0.0.1:8081"
REPLICAS = (1, 2, 5)

CLIENTS = 32
"""For each replica. Connections are dealt out at random, and few replicas may run out of work by chance: with n
replicas and k clients, (n - 1) / (k + n - 1) of the time at most (a closed network of queues, product form)."""

ANSWERS = 40
"""For each replica, one after another without a pause: the first and the last give the rate exactly."""

SHARE = 0.9
"""Of what as many single replicas would answer, at least."""


def scale(api: Api, namespace: str, replicas: int) -> None:
    """Have so many replicas, no more and no fewer; each answers one request at a time, at the mock's usual speed."""
    change = {
        "model": None,
        "engine": {"name": "mock", "parallel": 1},
        "resources": {"requests": {"cpu": "20m", "memory": "96Mi"}},
        "scaling": {"minReplicas": replicas, "maxReplicas": replicas},
        "service": {"type": "NodePort", "nodePort": 30081},
    }
    apply(namespace, NAME, change)
    until(
        lambda: (api.get("Deployment", NAME, namespace) or {}).get("status", {}).get("readyReplicas"),
        lambda ready: ready == replicas,
        what=f"{replicas} ready replicas",
        seconds=2 * SYNC_SECONDS + READY_SECONDS,
    )
    wait_until_ready(namespace, NAME)
    _all_answer(replicas)


def _all_answer(replicas: int) -> None:
    """Wait until connections reach every replica: clients that all begin at one of them stay there for long."""
    seen: set[str] = set()

    def ask() -> set[str]:
        seen.add(chat.ask(URL, max_tokens=1)["replica"])
        return seen

    until(
        ask,
        lambda names: len(names) == replicas,
        what=f"{replicas} replicas to answer",
        seconds=60,
        despite=(httpx.HTTPError,),
    )


def answers(requests: Sequence[Request]) -> list[Request]:
    """What was answered so far, in the order in which it was."""
    return sorted((request for request in list(requests) if request.succeeded), key=lambda one: one.ended)


def measure(replicas: int) -> dict[str, float]:
    """Return the answers a second of each of so many replicas."""
    with running(Plan(URL, clients=CLIENTS * replicas, seconds=120, max_tokens=16)) as load:
        # Until every client has had an answer, more or less, the queues are still as they were dealt at the begin.
        first = CLIENTS * replicas
        found = until(
            lambda: answers(load.requests),
            lambda so_far: len(so_far) > first + ANSWERS * replicas,
            what=f"{ANSWERS * replicas} answers",
            seconds=100,
        )[first:]
    assert [request for request in load.requests if request.failed] == []
    seconds = found[-1].ended - found[0].ended
    counts = Counter(str(request.replica) for request in found[1:])
    assert len(counts) == replicas
    return {replica: count / seconds for replica, count in counts.items()}


@pytest.mark.timeout(len(REPLICAS) * (2 * SYNC_SECONDS + 2 * READY_SECONDS + 120))
def test_throughput_grows_with_the_replicas(api: Api, namespace: str, artifacts: Path) -> None:
    rates: dict[int, dict[str, float]] = {}
    for replicas in REPLICAS:
        scale(api, namespace, replicas)
        rates[replicas] = measure(replicas)
        (artifacts / "throughput.json").write_text(json.dumps(rates, indent=2))
    (single,) = rates[1].values()
    shares = {replicas: sum(each.values()) / (replicas * single) for replicas, each in rates.items()}
    assert {replicas: share for replicas, share in shares.items() if share < SHARE} == {}, rates
