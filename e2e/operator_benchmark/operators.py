"""What the benchmark asks of an operator that it measures, and how what it counts is read."""

import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from prometheus_client.parser import text_string_to_metric_families

from e2e.operator_benchmark.api import Manifest

_READS = ("get", "GET")
_QUIET_SECONDS = 8.0
"""Without a request for so long, everything that events asked for is done: the queue's delays are shorter."""
_SETTLE_SECONDS = 300.0


class BenchmarkError(Exception):
    """It cannot be measured; the message says what to do."""


class UnsettledError(BenchmarkError):
    """The operator goes on and on."""


class Operator(Protocol):
    """An operator under measurement, with custom resources that each get a Deployment, a Service and an HPA."""

    @property
    def name(self) -> str:
        """What people read while it is measured."""

    @property
    def edit(self) -> Manifest:
        """What, merged into the spec of a custom resource, changes the template of its Deployment."""

    def resource(self, name: str) -> Manifest:
        """Return a custom resource that runs no pod: the operator is measured, not the kubelet."""

    def prepare(self, namespace: str) -> None:
        """Create what the custom resources of a namespace refer to; the operator runs."""

    def restart(self) -> None:
        """Start it anew, so that it remembers nothing and its peak of memory is its own."""

    def requests(self) -> Counter[str]:
        """Return how many requests it has sent since its start, by what begins with the method."""

    def reconciles(self) -> int:
        """Return how many reconciles of its custom resources it has ended since its start."""

    def peak_mebibytes(self) -> float:
        """Return the most resident memory that the process has had since its start, in MiB."""


def writes(counted: Counter[str]) -> int:
    """Return how many of these requests may have changed something."""
    return sum(number for what, number in counted.items() if what.split()[0] not in _READS)


def settle(
    requests: Callable[[], Counter[str]],
    now: Callable[[], float] = time.monotonic,
    pause: Callable[[float], None] = time.sleep,
) -> float:
    """Wait until an operator sends nothing any more, and return when it was seen to have ended, by `now`.

    Raises:
        UnsettledError: it goes on and on.
    """
    last, began = -1, now()
    since = began
    while now() - since < _QUIET_SECONDS:
        pause(1)
        total = requests().total()
        if total != last:
            last, since = total, now()
        if now() - began > _SETTLE_SECONDS:
            raise UnsettledError(
                f"After {_SETTLE_SECONDS:.0f} s the operator still sends requests: does anyone else use the cluster?"
            )
    return since


def samples(text: str, name: str, labels: tuple[str, ...], **where: str) -> Counter[str]:
    """Add up the samples of a metric.

    Args:
        text: metrics in Prometheus' text format.
        name: the samples' name.
        labels: those whose values, with spaces between them, are the result's keys.
        where: labels that a sample must have, with their values; others are left out.
    """
    found = Counter[str]()
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            if sample.name == name and where.items() <= sample.labels.items():
                found[" ".join(sample.labels[label] for label in labels)] += int(sample.value)
    return found


def peak_mebibytes(status: str) -> float:
    """Return the most resident memory that a process has had, in MiB.

    Args:
        status: the text of Linux' /proc/PID/status, whose VmHWM is in KiB.

    Raises:
        BenchmarkError: the process has ended.
    """
    for text in status.splitlines():
        if text.startswith("VmHWM:"):
            return int(text.split()[1]) / 1024
    raise BenchmarkError("the operator has ended while it was measured")


def peak_of(pid: int) -> float:
    """Return the most resident memory that a process of this machine has had, in MiB.

    Raises:
        BenchmarkError: it has ended, or this is not Linux.
    """
    try:
        return peak_mebibytes(Path(f"/proc/{pid}/status").read_text())
    except FileNotFoundError:
        raise BenchmarkError(
            f"process {pid} cannot be looked at: it has ended, or this machine has no /proc"
        ) from None
