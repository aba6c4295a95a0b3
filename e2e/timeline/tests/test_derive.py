"""One recording of a scale-up from 1 to 3 and back, and the steps that are read from it."""

from typing import Any

import pytest

from e2e.timeline.derive import scale_timeline
from e2e.timeline.entries import Entry
from e2e.timeline.sent import Sent
from e2e.timeline.steps import ScaleTimeline, UpSteps

NAME = "coder"


def at(time: float, kind: str, name: str, change: str = "MODIFIED", **facts: Any) -> Entry:
    return Entry(time, kind, name, change, facts)


def look(time: float, current: int, desired: int, value: float | None, **metric: Any) -> Entry:
    cpu = {"type": "Resource", "name": "cpu", "unit": "% of the request", "target": 70.0, "value": value}
    return at(
        time, "HorizontalPodAutoscaler", NAME, current=current, desired=desired, metrics=[{**cpu, **metric}]
    )


def replicas(time: float, number: int, ready: int) -> Entry:
    return at(time, "Deployment", NAME, replicas=number, ready=ready)


def pod(time: float, name: str, *done: str, change: str = "MODIFIED") -> Entry:
    facts = dict.fromkeys(("scheduled", "initialized", "ready", "deleting"), False) | dict.fromkeys(
        done, True
    )
    return at(time, "Pod", name, change, codemodel=NAME, cpu_request_cores=0.1, **facts)


def used(time: float, name: str, cores: float) -> Entry:
    return at(time, "PodMetrics", name, cpu_cores=cores)


def event(time: float, name: str, reason: str, part: str = "") -> Entry:
    return at(time, "Event", f"{name}.{time}", about=f"Pod/{name}", part=part, reason=reason)


def life(time: float, name: str) -> list[Entry]:
    return [
        pod(time, name),
        pod(time + 0.5, name, "scheduled"),
        event(time + 1, name, "Pulled", "spec.initContainers{download-model}"),
        event(time + 2, name, "Started", "spec.initContainers{download-model}"),
        pod(time + 3, name, "scheduled", "initialized"),
        event(time + 3.5, name, "Pulled", "spec.containers{llm-service}"),
        event(time + 4, name, "Started", "spec.containers{llm-service}"),
        pod(time + 8, name, "scheduled", "initialized", "ready"),
    ]


UP = [
    look(1000, 1, 1, 4),
    replicas(1000, 1, 1),
    pod(1000, "old", "scheduled", "initialized", "ready"),
    at(1010, "Mark", "load-begins"),
    used(1020, "old", 0.2),
    look(1030.2, 1, 3, 210),
    replicas(1030, 3, 1),
    *life(1031, "a"),
    *life(1032, "b"),
    replicas(1041, 3, 3),
]
DOWN = [
    look(1090, 3, 3, 90),
    at(1100, "Mark", "load-ends"),
    look(1105, 3, 3, 5),
    replicas(1135, 1, 3),
    look(1135.5, 3, 1, 5),
    pod(1136, "b", "ready", "deleting"),
    pod(1136.5, "a", "ready", "deleting"),
    pod(1145, "a", "deleting", change="DELETED"),
    pod(1147, "b", "deleting", change="DELETED"),
    replicas(1147, 1, 1),
]
LOAD = [Sent(1011, 1011.5, "old"), Sent(1040, 1042, "b"), Sent(1041, 1041.5, "b"), Sent(1042, None, "a")]


@pytest.fixture
def timeline() -> ScaleTimeline:
    return scale_timeline([*UP, *DOWN], NAME, LOAD)


def test_each_replica_that_is_added_has_its_steps(timeline: ScaleTimeline) -> None:
    assert [(up.before, up.after, up.replica) for up in timeline.scale_ups] == [(1, 3, "a"), (1, 3, "b")]
    assert timeline.scale_ups[1].steps == UpSteps(
        metric_crossed=1020,  # known from the pod's measurement before the autoscaler looked
        desired_changed=1030,
        pod_created=1032,
        scheduled=1032.5,
        image_ready=1033,
        init_started=1034,
        model_ready=1035,
        server_started=1036,
        ready=1040,
        first_token=1041.5,
    )


def test_a_replica_that_answered_nothing_has_no_first_token(timeline: ScaleTimeline) -> None:
    assert timeline.scale_ups[0].steps.first_token is None


def test_a_scale_down_has_its_steps_and_the_pods_that_left(timeline: ScaleTimeline) -> None:
    (down,) = timeline.scale_downs
    assert (down.before, down.after, down.at, down.removed) == (3, 1, 1135, ("b", "a"))
    steps = down.steps
    assert (steps.load_ended, steps.metric_below, steps.desired_changed) == (1100, 1105, 1135)
    assert (steps.pod_deleted, steps.pod_gone) == (1136, 1147)


def test_a_pod_that_is_still_there_is_not_gone() -> None:
    timeline = scale_timeline([*UP, *[e for e in DOWN if (e.name, e.change) != ("b", "DELETED")]], NAME, [])
    assert timeline.scale_downs[0].steps.pod_gone is None


def test_a_pod_that_is_killed_later_did_not_leave_by_the_scale_down() -> None:
    killed = pod(1200, "old", "ready", "deleting")
    assert scale_timeline([*UP, *DOWN, killed], NAME, []).scale_downs[0].removed == ("b", "a")


def test_a_replica_that_never_came_is_told_of() -> None:
    timeline = scale_timeline([entry for entry in UP if entry.name not in {"b", "Pod/b"}], NAME, [])
    assert [up.replica for up in timeline.scale_ups] == ["a", None]
    assert timeline.scale_ups[1].steps == UpSteps(metric_crossed=1020, desired_changed=1030)


def test_durations_count_from_the_nearest_step_that_was_seen(timeline: ScaleTimeline) -> None:
    of_a = {d.step: (d.since, d.seconds) for d in timeline.durations if d.replica == "a"}
    assert of_a["desired_changed"] == ("metric_crossed", 10.0)
    assert of_a["ready"] == ("server_started", 4.0)
    assert "first_token" not in of_a
    without = scale_timeline([e for e in UP if e.facts.get("reason") != "Pulled"], NAME, [])
    assert {d.step: d.since for d in without.durations}["init_started"] == "scheduled"


def test_what_a_watch_delivers_before_its_cause_took_no_time() -> None:
    early = [pod(1029.9, "a"), *UP]
    (created, *_) = [d for d in scale_timeline(early, NAME, []).durations if d.step == "pod_created"]
    assert created.seconds == 0


def test_points_show_load_replicas_and_metric_over_time(timeline: ScaleTimeline) -> None:
    points = {point.at: point for point in timeline.series}
    assert min(points) == 1005
    assert max(points) == 1150
    assert (points[1010].desired, points[1010].replicas, points[1010].ready, points[1010].metric) == (
        1,
        1,
        1,
        4,
    )
    assert points[1020].metric == 200  # 0.2 cores used, 0.1 requested
    assert (points[1035].desired, points[1035].replicas, points[1035].ready) == (3, 3, 1)
    assert [points[time].load_rps for time in (1010, 1015, 1040, 1045)] == [0, 0.2, 0.2, 0.4]


def test_without_a_load_its_rate_is_unknown() -> None:
    assert {point.load_rps for point in scale_timeline(UP, NAME, []).series} == {None}


def test_a_metric_of_another_type_is_seen_by_the_autoscaler_only() -> None:
    external = {"type": "External", "name": "waiting", "unit": "per replica", "target": 2.0}
    entries = [
        look(1000, 1, 1, 0.5, **external),
        replicas(1000, 1, 1),
        pod(1000, "old", "ready"),
        used(1010, "old", 0.9),
        look(1015, 1, 1, 9, **external),
        look(1030, 1, 3, 8, **external),
        replicas(1030, 3, 1),
    ]
    timeline = scale_timeline(entries, NAME, [])
    assert timeline.metric
    assert (timeline.metric.type, timeline.metric.name, timeline.metric.target) == ("External", "waiting", 2)
    assert timeline.scale_ups[0].steps.metric_crossed == 1015


@pytest.mark.parametrize("value", [76, 70, 30])
def test_a_metric_crosses_only_above_the_tolerance(value: float) -> None:
    entries = [look(1000, 1, 1, value), replicas(1000, 1, 1), replicas(1030, 2, 1)]
    assert scale_timeline(entries, NAME, []).scale_ups[0].steps.metric_crossed is None


def test_a_pod_of_another_codemodel_is_left_out() -> None:
    other = Entry(1031, "Pod", "x", "ADDED", {**pod(0, "x").facts, "codemodel": "other"})
    assert "x" not in {up.replica for up in scale_timeline([other, *UP], NAME, []).scale_ups}


def test_an_empty_recording_has_no_steps() -> None:
    timeline = scale_timeline([], NAME, LOAD)
    assert (timeline.metric, timeline.series, timeline.scale_ups) == (None, (), ())
