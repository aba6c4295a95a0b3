"""What metrics-server and the autoscaler have measured, as they tell it now."""

import json
from typing import Any

from e2e.api import Api
from e2e.codemodels import condition
from e2e.kubectl import raw
from e2e.timeline.facts import metrics_of
from e2e.waiting import until

FIRST_VALUE_SECONDS = 90
"""From Ready to a value that covers only the time since: two measurements and a look of the autoscaler, doubled."""


def pod_metrics(namespace: str) -> list[dict[str, Any]]:
    """Return the PodMetrics of a namespace.

    Raises:
        KubectlError: metrics-server does not answer.
    """
    items = json.loads(raw(f"/apis/metrics.k8s.io/v1beta1/namespaces/{namespace}/pods"))["items"]
    return [{"kind": "PodMetrics", **item} for item in items]


def wait_for_first_value(api: Api, namespace: str, name: str) -> None:
    """Wait until a CodeModel's autoscaler is active and has seen a value of every metric.

    Raises:
        AssertionError: it has not within FIRST_VALUE_SECONDS.
    """

    def values() -> list[float | None]:
        autoscaler = api.read("HorizontalPodAutoscaler", name, namespace)
        active = condition(autoscaler, "ScalingActive").get("status") == "True"
        return [metric["value"] for metric in metrics_of(autoscaler)] if active else [None]

    until(
        values,
        lambda seen: None not in seen,
        what=f"the first value of {name}'s autoscaler",
        seconds=FIRST_VALUE_SECONDS,
    )
