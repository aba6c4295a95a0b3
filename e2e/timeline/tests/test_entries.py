import json

import pytest

from e2e.timeline.entries import Entry, Step, facts_of, steps, to_json_lines, utilization


def test_the_facts_of_an_autoscaler() -> None:
    autoscaler = {
        "kind": "HorizontalPodAutoscaler",
        "spec": {"metrics": [{"type": "Resource", "resource": {"target": {"averageUtilization": 70}}}]},
        "status": {
            "currentReplicas": 1,
            "desiredReplicas": 3,
            "currentMetrics": [{"type": "Resource", "resource": {"current": {"averageUtilization": 210}}}],
            "conditions": [{"type": "ScalingActive", "status": "True"}],
        },
    }
    assert facts_of(autoscaler) == {
        "current": 1,
        "desired": 3,
        "utilization": 210,
        "target": 70,
        "active": "True",
    }


@pytest.mark.parametrize(
    "status",
    [
        {},
        {"currentMetrics": None},
        {"currentMetrics": [{"type": ""}]},
        {"currentMetrics": [{"resource": None}]},
    ],
)
def test_an_autoscaler_without_a_metric_has_no_utilization(status: dict[str, object]) -> None:
    assert utilization({"status": status}) is None


def test_a_pod_that_has_not_started_has_facts_too() -> None:
    pod = {"kind": "Pod", "metadata": {"name": "p"}, "status": {"phase": "Pending"}}
    assert facts_of(pod)["ready"] is False
    assert facts_of(pod)["restarts"] == 0


def test_steps_are_the_changes_of_one_number_of_one_object() -> None:
    values = [(1.0, "a", 1), (2.0, "b", 9), (3.0, "a", 1), (4.0, "a", 3), (5.0, "a", None), (6.0, "a", 1)]
    entries = [Entry(at, "Deployment", name, "MODIFIED", {"replicas": n}) for at, name, n in values]
    assert steps(entries, "Deployment", "a", "replicas") == [Step(4.0, 1, 3), Step(6.0, 3, 1)]


def test_a_timeline_is_written_as_json_lines() -> None:
    lines = to_json_lines(
        [Entry(1.5, "Mark", "load-begins", "ADDED"), Entry(2.0, "Pod", "p", "ADDED", {"x": 1})]
    )
    assert [json.loads(line)["name"] for line in lines.splitlines()] == ["load-begins", "p"]
