"""The operator under measurement: restarted, and asked what it did and needed."""

import json
import time
from collections import Counter

from prometheus_client.parser import text_string_to_metric_families

from e2e.cluster import settings
from e2e.kubectl import kubectl, raw

_DEPLOYMENT = "deployment/codemodel-operator"
_STATUS = "print(open('/proc/1/status').read())"
_PYTHON = "/opt/venv/bin/python"
_READY_SECONDS = 120
_QUIET_SECONDS = 8.0
"""Without a request for so long, everything that events asked for is done: the queue's delays are shorter."""


def restart() -> None:
    """Start the operator anew, so that it remembers nothing and its peak of memory is its own.

    Raises:
        KubectlError: it does not become ready.
    """
    kubectl("rollout", "restart", _DEPLOYMENT, namespace=settings.OPERATOR_NAMESPACE)
    timeout = f"--timeout={_READY_SECONDS}s"
    kubectl("rollout", "status", _DEPLOYMENT, timeout, namespace=settings.OPERATOR_NAMESPACE)


def peak_mebibytes() -> float:
    """Return the most resident memory that the process has had, in MiB (Linux: VmHWM)."""
    words = ("exec", _DEPLOYMENT, "--", _PYTHON, "-c", _STATUS)
    lines = kubectl(*words, namespace=settings.OPERATOR_NAMESPACE).splitlines()
    line = next(line for line in lines if line.startswith("VmHWM:"))
    return int(line.split()[1]) / 1024


def requests() -> Counter[str]:
    """Return how many requests it has sent since its start, by method and kind."""
    return _samples("codemodel_operator_api_requests_total", ("method", "kind"))


def reconciles() -> int:
    """Return how many reconciles it has ended since its start."""
    return sum(_samples("codemodel_operator_reconcile_seconds_count", ("result",)).values())


def writes(counted: Counter[str]) -> int:
    """Return how many of these requests may have changed something."""
    return sum(number for what, number in counted.items() if not what.startswith("get "))


def settle() -> None:
    """Wait until it sends nothing any more."""
    last, since = -1, time.monotonic()
    while time.monotonic() - since < _QUIET_SECONDS:
        time.sleep(1)
        now = requests().total()
        if now != last:
            last, since = now, time.monotonic()


def _samples(name: str, labels: tuple[str, ...]) -> Counter[str]:
    namespace = settings.OPERATOR_NAMESPACE
    found = json.loads(kubectl("get", "pods", "-o", "json", namespace=namespace))
    (pod,) = [
        item["metadata"]["name"] for item in found["items"] if "deletionTimestamp" not in item["metadata"]
    ]
    text = raw(f"/api/v1/namespaces/{namespace}/pods/{pod}:8082/proxy/metrics").decode()
    return Counter(
        {
            " ".join(sample.labels[label] for label in labels): int(sample.value)
            for family in text_string_to_metric_families(text)
            for sample in family.samples
            if sample.name == name
        }
    )
