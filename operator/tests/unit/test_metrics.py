"""What Prometheus is told, as it reads it."""

import asyncio
import itertools
import random
from datetime import UTC, datetime, timedelta

import pytest
from prometheus_client import generate_latest

from codemodel_operator.api.status import CodeModelStatus, Condition, ScaleEvent, ScalingStatus
from codemodel_operator.errors import TemporaryError
from codemodel_operator.metrics import Metrics
from codemodel_operator.workers import work_once
from codemodel_operator.workqueue import Key, WorkQueue

A, B = ("models", "a"), ("models", "b")
NOW = datetime(2030, 1, 1, tzinfo=UTC)


def status(ready: str, *events: ScaleEvent) -> CodeModelStatus:
    fields = {"reason": "R", "message": "M", "observed_generation": 1, "last_transition_time": "T"}
    conditions = (Condition(type="Ready", status=ready, **fields),)  # type: ignore[arg-type]
    return CodeModelStatus(conditions=conditions, scaling=ScalingStatus(events=events) if events else None)


def change(minute: int, from_: int, to: int, ready: int | None = None) -> ScaleEvent:
    time = (NOW + timedelta(minutes=minute)).isoformat()
    return ScaleEvent(time=time, from_=from_, to=to, reason="r", ready_after_seconds=ready)


def lines(metrics: Metrics, word: str) -> list[str]:
    text = generate_latest(metrics.registry).decode()
    found = [line for line in text.splitlines() if word in line and not line.startswith("#")]
    return [line.removeprefix("codemodel_operator_") for line in found]


def test_codemodels_are_counted_by_what_their_conditions_say_now() -> None:
    metrics = Metrics()
    metrics.reported(A, CodeModelStatus(), status("False"))
    metrics.reported(B, CodeModelStatus(), status("True"))
    metrics.reported(A, status("False"), status("True"))
    assert lines(metrics, "codemodels") == ['codemodels{condition="Ready",status="True"} 2.0']
    metrics.forget(B)
    assert lines(metrics, "codemodels") == ['codemodels{condition="Ready",status="True"} 1.0']


def test_each_scaling_and_each_readiness_is_counted_once() -> None:
    metrics = Metrics()
    history: list[CodeModelStatus] = [
        status("True"),
        status("True", change(1, 1, 3)),
        status("True", change(1, 1, 3, 12)),
        status("True", change(1, 1, 3, 12), change(9, 3, 1)),
    ]
    for before, after in itertools.pairwise(history):
        metrics.reported(A, before, after)
        metrics.reported(A, after, after)
    assert lines(metrics, "scalings") == [
        'scalings_total{direction="up",name="a",namespace="models"} 1.0',
        'scalings_total{direction="down",name="a",namespace="models"} 1.0',
    ]
    assert lines(metrics, "scale_up_ready_seconds_sum") == ["scale_up_ready_seconds_sum 12.0"]
    metrics.forget(A)
    assert lines(metrics, "scalings") == []


@pytest.mark.parametrize(
    ("outcome", "result"),
    [(300.0, "done"), (None, "gone"), (TemporaryError("later"), "retried"), (ValueError("a bug"), "failed")],
)
def test_reconciles_are_timed_by_how_they_end(outcome: float | Exception | None, result: str) -> None:
    metrics = Metrics()

    async def reconcile(_: Key) -> float | None:
        assert lines(metrics, "queue_depth") == ["queue_depth 1.0"]
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    async def scenario() -> None:
        loop = asyncio.get_running_loop()
        queue = WorkQueue(clock=loop.time, call_later=loop.call_later, rng=random.Random(0))
        metrics.watch(queue)
        queue.add(A)
        queue.add(B)
        await work_once(queue, reconcile, metrics)

    asyncio.run(scenario())
    assert lines(metrics, "reconcile_seconds_count") == [f'reconcile_seconds_count{{result="{result}"}} 1.0']


def test_requests_are_counted_by_method_and_kind() -> None:
    metrics = Metrics()
    for method in ("get", "patch", "get"):
        metrics.requested(method, "Service")
    assert lines(metrics, 'api_requests_total{kind="Service",method="get"}') == [
        'api_requests_total{kind="Service",method="get"} 2.0'
    ]
