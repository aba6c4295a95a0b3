"""The history of the number of replicas, from autoscalers and pods as the cluster shows them."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from codemodel_operator.api.codemodel import Owner
from codemodel_operator.api.spec import CodeModelSpec
from codemodel_operator.api.status import CodeModelStatus, ScaleEvent
from codemodel_operator.events import news
from codemodel_operator.scaling import MOST_EVENTS, rescale_reason, rescaled
from codemodel_operator.status import compute_status, dump_status, read_status
from codemodel_operator.world import World

START = datetime(2030, 1, 1, 12, 0, tzinfo=UTC)
OWNER = Owner(name="coder", namespace="models", uid="u", generation=1)


def at(seconds: float) -> str:
    return (START + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")


def pods(*ready_at: float) -> list[dict[str, Any]]:
    return [
        {
            "metadata": {"name": f"p{number}"},
            "status": {
                "conditions": [{"type": "Ready", "status": "True", "lastTransitionTime": at(seconds)}]
            },
        }
        for number, seconds in enumerate(ready_at)
    ]


def world(
    desired: int, *ready_at: float, scaled_at: float | None = None, suspend: bool = False, use: int = 143
) -> World:
    metric = {"name": "cpu", "target": {"averageUtilization": 70}}
    autoscaler: dict[str, Any] = {
        "spec": {"metrics": [{"type": "Resource", "resource": metric}]},
        "status": {
            "desiredReplicas": desired,
            "currentMetrics": [{"resource": {"name": "cpu", "current": {"averageUtilization": use}}}],
            **({} if scaled_at is None else {"lastScaleTime": at(scaled_at)}),
        },
    }
    deployment: dict[str, Any] = {"spec": {"replicas": desired}}
    spec = CodeModelSpec.model_validate({"engine": {"name": "mock"}, "suspend": suspend})
    children = {"HorizontalPodAutoscaler": autoscaler, "Deployment": deployment}
    return World(OWNER, spec, children, pods(*ready_at), [], rescale="cpu above target")


def go(before: CodeModelStatus, seen: World, seconds: float) -> CodeModelStatus:
    """The status after another look, as it is read back from the API server."""
    return read_status(
        {"status": dump_status(compute_status(seen, before, START + timedelta(seconds=seconds)))}
    )


def events(status: CodeModelStatus) -> tuple[ScaleEvent, ...]:
    return status.scaling.events if status.scaling else ()


ONE = go(CodeModelStatus(), world(1, 0), 0)


def test_the_first_replicas_are_no_change() -> None:
    assert events(ONE) == ()
    assert dump_status(ONE).get("scaling") is None


def test_a_change_is_kept_with_its_reason_and_the_metric_until_the_replicas_are_ready() -> None:
    up = go(ONE, world(3, 0, scaled_at=30), 31)
    expected = ScaleEvent(
        time=at(30),
        from_=1,
        to=3,
        reason="Cpu above target",
        metric="cpu 143 % of 70 %",
        ready_after_seconds=None,
    )
    assert events(up) == (expected,)
    partly = go(up, world(3, 0, 41, scaled_at=30), 42)
    assert partly == up
    ready = go(partly, world(3, 0, 41, 44.0, scaled_at=30), 50)
    assert [event.ready_after_seconds for event in events(ready)] == [14]
    assert go(ready, world(3, 0, 41, 44, scaled_at=30), 900) == ready


def test_replicas_that_were_never_ready_before_fewer_were_wanted_stay_so() -> None:
    up = go(ONE, world(5, 0, scaled_at=30), 31)
    down = go(up, world(1, 0, scaled_at=60), 61)
    again = go(down, world(5, 0, 91, 92, 93, 94, scaled_at=90), 95)
    assert [(e.from_, e.to, e.ready_after_seconds) for e in events(again)] == [
        (1, 5, None),
        (5, 1, None),
        (1, 5, 4),
    ]


def test_an_operator_that_was_away_notes_when_it_happened_and_not_when_it_looked() -> None:
    assert [event.time for event in events(go(ONE, world(4, scaled_at=30), 900))] == [at(30)]


def test_a_time_that_an_earlier_change_has_already_is_not_taken_twice() -> None:
    up = go(ONE, world(4, scaled_at=30), 31)
    assert [event.time for event in events(go(up, world(2, scaled_at=30), 60))] == [at(30), at(60)]


def test_suspending_and_resuming_are_changes_with_their_own_reason() -> None:
    off = go(ONE, world(1, suspend=True), 10)
    on = go(off, world(1, 25), 20)
    assert [(e.from_, e.to, e.reason, e.metric) for e in events(on)] == [
        (1, 0, "The spec says suspend: true", None),
        (0, 1, "The spec says suspend: false", None),
    ]
    assert events(on)[-1].ready_after_seconds == 5


def test_a_deployment_that_is_gone_for_a_moment_is_no_change() -> None:
    gone = World(OWNER, None, {}, [], [])
    assert not rescaled(gone, ONE)
    assert events(go(go(ONE, gone, 5), world(1, 0), 10)) == ()


def test_only_the_last_changes_are_kept() -> None:
    status = ONE
    for step in range(MOST_EVENTS + 3):
        status = go(status, world(2 if step % 2 == 0 else 1, scaled_at=step), step)
    assert len(events(status)) == MOST_EVENTS
    assert events(status)[-1].time == at(MOST_EVENTS + 2)


def test_each_change_and_each_readiness_is_told_once() -> None:
    up = go(ONE, world(2, 0, scaled_at=30), 31)
    ready = go(up, world(2, 0, 40, scaled_at=30), 41)
    again = go(ready, world(2, 0, 40, scaled_at=30), 60)
    down = go(again, world(1, 0, scaled_at=90), 91)
    told = [
        [(n.reason, n.message) for n in news(before, after) if n.reason.startswith("Scale")]
        for before, after in ((ONE, up), (up, ready), (ready, again), (again, down))
    ]
    change = "from 1 to 2 replicas"
    assert told == [
        [("ScaledUp", f"Scaled {change} (cpu 143 % of 70 %): Cpu above target")],
        [("ScaleUpReady", f"2 replicas answer, 10 s after the step {change}")],
        [],
        [("ScaledDown", "Scaled from 2 to 1 replicas (cpu 143 % of 70 %): Cpu above target")],
    ]


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ([], None),
        ([("FailedGetResourceMetric", "reason: none", at(9))], None),
        (
            [
                ("SuccessfulRescale", "New size: 1; reason: All metrics below target", at(5)),
                ("SuccessfulRescale", "New size: 3; reason: cpu above target", at(2)),
            ],
            "All metrics below target",
        ),
        ([("SuccessfulRescale", "in other words", at(2))], None),
    ],
)
def test_the_reason_is_that_of_the_newest_rescale(
    told: list[tuple[str, str, str]], expected: str | None
) -> None:
    found = [{"reason": r, "message": m, "lastTimestamp": t} for r, m, t in told]
    assert rescale_reason(found) == expected
