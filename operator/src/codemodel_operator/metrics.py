"""What Prometheus is told of the operator, in a registry of its own. docs/metrics.md says what each means."""

from collections import Counter as Counts
from collections.abc import Iterable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, disable_created_metrics
from prometheus_client.core import GaugeMetricFamily

from .api.status import CodeModelStatus
from .scaling import advances
from .workqueue import Key, WorkQueue

# From one that finds nothing to do to one that waits for an API server in trouble.
_RECONCILE_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
# From a model that lies on the node to a download of tens of gigabytes.
_READY_SECONDS = (1, 2.5, 5, 10, 20, 30, 45, 60, 120, 300, 600, 1800)


class Metrics:
    """All metrics of one operator; times are in seconds."""

    def __init__(self) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self.registry = CollectorRegistry()
        self._conditions: dict[Key, tuple[tuple[str, str], ...]] = {}
        self._reconciles = Histogram(
            "codemodel_operator_reconcile_seconds",
            "Time of one reconcile, by how it ended.",
            ["result"],
            buckets=_RECONCILE_SECONDS,
            registry=self.registry,
        )
        self._requests = Counter(
            "codemodel_operator_api_requests",
            "Requests to the API server, watches left out.",
            ["method", "kind"],
            registry=self.registry,
        )
        self._scalings = Counter(
            "codemodel_operator_scalings",
            "Changes of the number of replicas that are wanted.",
            ["namespace", "name", "direction"],
            registry=self.registry,
        )
        self._ready = Histogram(
            "codemodel_operator_scale_up_ready_seconds",
            "From a change to more replicas until all of them were Ready.",
            buckets=_READY_SECONDS,
            registry=self.registry,
        )
        self.registry.register(self)

    def watch(self, queue: WorkQueue) -> None:
        """Tell of this queue from now on."""
        for name, text, value in (
            ("queue_depth", "CodeModels that wait for a worker.", queue.depth),
            ("queue_stuck_seconds", "For how long the queue has not moved.", queue.stuck_seconds),
        ):
            Gauge(f"codemodel_operator_{name}", text, registry=self.registry).set_function(value)

    def reconciled(self, seconds: float, result: str) -> None:
        """Count a reconcile: done, gone, retried or failed."""
        self._reconciles.labels(result).observe(seconds)

    def requested(self, method: str, kind: str) -> None:
        """Count a request to the API server. May be called from any thread."""
        self._requests.labels(method, kind).inc()

    def reported(self, key: Key, before: CodeModelStatus, after: CodeModelStatus) -> None:
        """Note what a CodeModel's status says now, and count what it did not say before."""
        self._conditions[key] = tuple((c.type, c.status) for c in after.conditions)
        for advance in advances(before, after):
            event = advance.event
            if advance.happened:
                self._scalings.labels(*key, "up" if event.to > event.from_ else "down").inc()
            if advance.ready_after_seconds is not None:
                self._ready.observe(advance.ready_after_seconds)

    def forget(self, key: Key) -> None:
        """Note that a CodeModel is gone."""
        self._conditions.pop(key, None)
        for direction in ("up", "down"):
            self._scalings.remove_by_labels({"namespace": key[0], "name": key[1], "direction": direction})

    def collect(self) -> Iterable[GaugeMetricFamily]:
        """Return the number of CodeModels by condition; prometheus_client calls this when it is asked."""
        family = GaugeMetricFamily(
            "codemodel_operator_codemodels", "CodeModels by condition.", labels=["condition", "status"]
        )
        counts = Counts(pair for pairs in list(self._conditions.values()) for pair in pairs)
        for (type_, status), count in sorted(counts.items()):
            family.add_metric([type_, status], count)
        yield family
