from typing import Any

import pytest

from e2e.timeline.facts import facts_of, metrics_of

PERCENT = {"type": "Utilization", "averageUtilization": 70}
CPU = {"name": "cpu", "target": PERCENT}


def autoscaler(metric: dict[str, Any], current: dict[str, Any] | None = None) -> dict[str, Any]:
    return {
        "kind": "HorizontalPodAutoscaler",
        "spec": {"metrics": [metric]},
        "status": {
            "currentReplicas": 1,
            "desiredReplicas": 3,
            "currentMetrics": [current] if current else None,
            "conditions": [{"type": "ScalingActive", "status": "True"}],
        },
    }


def custom(metric: str, target: dict[str, Any]) -> dict[str, Any]:
    return {"metric": {"name": metric}, "target": target}


def test_the_facts_of_an_autoscaler() -> None:
    seen = {"type": "Resource", "resource": {"name": "cpu", "current": {"averageUtilization": 210}}}
    assert facts_of(autoscaler({"type": "Resource", "resource": CPU}, seen)) == {
        "current": 1,
        "desired": 3,
        "metrics": [
            {"type": "Resource", "name": "cpu", "unit": "% of the request", "target": 70.0, "value": 210.0}
        ],
        "active": "True",
    }


@pytest.mark.parametrize(
    ("metric", "current", "expected"),
    [
        (
            {
                "type": "Resource",
                "resource": {"name": "cpu", "target": {"type": "AverageValue", "averageValue": "70m"}},
            },
            {"type": "Resource", "resource": {"name": "cpu", "current": {"averageValue": "105m"}}},
            ("cpu", "per replica", 0.07, 0.105),
        ),
        (
            {"type": "ContainerResource", "containerResource": {**CPU, "container": "llm-service"}},
            {
                "type": "ContainerResource",
                "containerResource": {
                    "name": "cpu",
                    "container": "llm-service",
                    "current": {"averageUtilization": 9},
                },
            },
            ("cpu", "% of the request", 70, 9),
        ),
        (
            {
                "type": "Pods",
                "pods": custom("requests_running", {"type": "AverageValue", "averageValue": "4"}),
            },
            {
                "type": "Pods",
                "pods": {"metric": {"name": "requests_running"}, "current": {"averageValue": "6500m"}},
            },
            ("requests_running", "per replica", 4, 6.5),
        ),
        (
            {"type": "Object", "object": custom("hits", {"type": "Value", "value": "2k"})},
            {"type": "Object", "object": {"metric": {"name": "hits"}, "current": {"value": "3k"}}},
            ("hits", "in all", 2000, 3000),
        ),
        (
            {
                "type": "External",
                "external": custom("waiting", {"type": "AverageValue", "averageValue": "2"}),
            },
            {
                "type": "External",
                "external": {"metric": {"name": "waiting"}, "current": {"averageValue": "500m"}},
            },
            ("waiting", "per replica", 2, 0.5),
        ),
    ],
)
def test_a_metric_of_any_type(
    metric: dict[str, Any], current: dict[str, Any], expected: tuple[str, str, float, float]
) -> None:
    name, unit, target, value = expected
    (found,) = metrics_of(autoscaler(metric, current))
    assert found == {"type": metric["type"], "name": name, "unit": unit, "target": target, "value": value}


@pytest.mark.parametrize(
    "current",
    [
        None,
        {"type": ""},
        {"type": "Resource", "resource": None},
        {"type": "Resource", "resource": {"name": "memory"}},
    ],
)
def test_a_metric_that_was_not_seen_has_no_value(current: dict[str, Any] | None) -> None:
    (found,) = metrics_of(autoscaler({"type": "Resource", "resource": CPU}, current))
    assert found["value"] is None


def test_a_pod_that_has_not_started_has_facts_too() -> None:
    pod = {"kind": "Pod", "metadata": {"name": "p"}, "status": {"phase": "Pending"}}
    facts = facts_of(pod)
    assert (facts["scheduled"], facts["ready"], facts["restarts"], facts["codemodel"]) == (
        False,
        False,
        0,
        None,
    )


@pytest.mark.parametrize("init", [[], [{"name": "download-model"}]])
def test_a_pod_is_initialized_by_its_init_container_only(init: list[dict[str, str]]) -> None:
    status = {"conditions": [{"type": "Initialized", "status": "True"}]}
    pod = {"kind": "Pod", "metadata": {"name": "p"}, "spec": {"initContainers": init}, "status": status}
    assert facts_of(pod)["initialized"] is bool(init)


def test_the_request_and_the_use_of_a_pod_are_in_cores() -> None:
    containers = [{"resources": {"requests": {"cpu": "50m"}}}, {"resources": {"requests": {"cpu": "1"}}}, {}]
    pod = {"kind": "Pod", "metadata": {"name": "p"}, "spec": {"containers": containers}}
    assert facts_of(pod)["cpu_request_cores"] == 1.05
    measured = {
        "kind": "PodMetrics",
        "timestamp": "2026-01-01T00:00:00Z",
        "containers": [{"usage": {"cpu": "1500000n", "memory": "2Ki"}}],
    }
    assert facts_of(measured) == {
        "measured": "2026-01-01T00:00:00Z",
        "cpu_cores": 0.0015,
        "memory_bytes": 2048,
    }


def test_an_event_tells_of_which_container_it_is() -> None:
    about = {"kind": "Pod", "name": "p", "fieldPath": "spec.initContainers{download-model}"}
    facts = facts_of(
        {"kind": "Event", "involvedObject": about, "reason": "Started", "message": "Container started"}
    )
    assert (facts["about"], facts["part"]) == ("Pod/p", "spec.initContainers{download-model}")


def test_a_kind_that_a_timeline_does_not_know_is_refused() -> None:
    with pytest.raises(ValueError, match="no facts for Node"):
        facts_of({"kind": "Node"})
