"""kopf handlers: they only put the key of the owning CodeModel into the queue."""

import asyncio
import random
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from itertools import chain, repeat
from typing import Any

import kopf
from prometheus_client import start_http_server

from .api import GROUP, PLURAL, VERSION
from .arrivals import Arrivals
from .changes import Changes
from .headers import HeaderReader
from .inventory import Inventory
from .kube import PAGE, KubeCluster
from .metrics import Metrics
from .reconcile import Reconciler
from .resources.download import Downloads
from .resources.labels import NAME_LABEL
from .settings import STUCK_SECONDS, Settings
from .stateless import NoDiffs, NoProgress
from .versions import Versions
from .workers import work
from .workqueue import WorkQueue

_CHILDREN = (
    ("apps", "v1", "deployments"),
    ("autoscaling", "v2", "horizontalpodautoscalers"),
    ("", "v1", "services"),
    ("", "v1", "persistentvolumeclaims"),
    ("networking.k8s.io", "v1", "networkpolicies"),
    ("policy", "v1", "poddisruptionbudgets"),
    ("", "v1", "pods"),
)
_CALLS_PER_WORKER = 2
"""Requests that a worker has under way at once, about; bounds connections."""

_DRAIN_SECONDS = 10.0
"""Time for running reconciles to finish when the operator ends."""


def build_registry(settings: Settings) -> kopf.OperatorRegistry:
    """Return the handlers of one operator, with a queue and workers of their own."""
    registry = kopf.OperatorRegistry()
    operator = _Operator(settings)
    kopf.on.startup(registry=registry)(operator.start)
    kopf.on.cleanup(registry=registry)(operator.stop)
    kopf.on.login(registry=registry)(_login)
    kopf.on.probe(registry=registry, id="queue", errors=kopf.ErrorsMode.PERMANENT)(operator.probe)
    kopf.on.event(GROUP, VERSION, PLURAL, registry=registry, id="codemodel")(operator.codemodel_changed)
    for group, version, plural in _CHILDREN:
        kopf.on.event(
            group, version, plural, registry=registry, id=plural, labels={NAME_LABEL: kopf.PRESENT}
        )(operator.child_changed)
    return registry


def configure(settings: kopf.OperatorSettings, *, clusterwide: bool) -> None:
    """Set kopf up to write nothing by itself and never to wait for a silent watch."""
    # Needs rights on the cluster that an operator of a few namespaces does not have.
    settings.scanning.disabled = not clusterwide
    settings.posting.enabled = False
    settings.persistence.diffbase_storage = NoDiffs()
    settings.persistence.progress_storage = NoProgress()
    # One task an object: with thousands of them, those that idle would hold most of the memory.
    settings.queueing.idle_timeout = 0.1
    # Beside a thousand CodeModels, an operator that read whole lists started with twice the memory.
    settings.watching.chunk_size = PAGE
    settings.peering.standalone = True
    # The server ends a watch, the client does so when the server forgets, and silence ends it earlier.
    settings.watching.server_timeout = 300
    settings.watching.client_timeout = 330
    settings.watching.connect_timeout = 10
    settings.watching.inactivity_timeout = 70
    settings.networking.request_timeout = 30
    settings.networking.connect_timeout = 10
    settings.networking.error_backoffs = _Backoffs()
    for group, version, plural in _CHILDREN:
        settings.watching.label_selectors[group, version, plural] = NAME_LABEL


class _Backoffs:
    """Seconds between two attempts of a request, without end: when kopf's own nine have failed, the operator ends."""

    def __iter__(self) -> Iterator[float]:
        return chain((1.0, 2.0, 4.0), repeat(8.0))


async def _login(**kwargs: Any) -> kopf.ConnectionInfo | None:
    info = kopf.login_with_service_account(**kwargs) or kopf.login_with_kubeconfig(**kwargs)
    return info if isinstance(info, kopf.ConnectionInfo) else None


class _Operator:
    """The queue, its workers, and the callbacks that kopf gets."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._queue = WorkQueue(clock=time.monotonic, call_later=_call_later, rng=random.Random())  # noqa: S311
        self._metrics = Metrics()
        self._metrics.watch(self._queue)
        self._changes = Changes(self._queue, time.monotonic, _call_later)
        self._arrivals = Arrivals()
        self._versions = Versions()
        self._workers: list[asyncio.Task[None]] = []
        self._cluster: KubeCluster | None = None

    async def start(self, settings: kopf.OperatorSettings, **_: Any) -> None:
        """Start the workers; kopf begins to watch when this returns."""
        configure(settings, clusterwide=not self._settings.namespaces)
        calls = self._settings.workers * _CALLS_PER_WORKER
        start_http_server(self._settings.metrics_port, registry=self._metrics.registry)
        cluster = self._cluster = await KubeCluster.connect(calls, self._metrics.requested, self._versions)
        downloads = Downloads(self._settings.allow_private_sources, self._settings.hub_endpoint)
        reconciler = Reconciler(
            cluster,
            HeaderReader(downloads),
            Inventory(cluster, time.monotonic),
            default_image=self._settings.server_image,
            downloads=downloads,
            metrics=self._metrics,
            arrived=self._arrivals.take,
            left=self._changes.left,
            now=lambda: datetime.now(UTC),
        )
        self._workers = [
            asyncio.create_task(work(self._queue, reconciler.reconcile, self._metrics), name=f"worker-{n}")
            for n in range(self._settings.workers)
        ]

    async def stop(self, **_: Any) -> None:
        """Let running reconciles finish, then end the workers."""
        await self._queue.drain(_DRAIN_SECONDS)
        for worker in self._workers:
            worker.cancel()
        await asyncio.gather(*self._workers, return_exceptions=True)
        if self._cluster:
            await self._cluster.aclose()

    async def probe(self, **_: Any) -> float:
        """Report for how many seconds the queue has not moved; fail when it no longer will."""
        seconds = self._queue.stuck_seconds()
        if seconds > STUCK_SECONDS:
            raise kopf.PermanentError(f"The queue has not moved for {seconds:.0f} s")
        return round(seconds, 3)

    async def codemodel_changed(self, event: Mapping[str, Any], **_: Any) -> None:
        """Look at this CodeModel: at once when its spec is new, because somebody waits for that."""
        metadata = event["object"]["metadata"]
        key = (metadata["namespace"], metadata["name"])
        deleted = event["type"] == "DELETED"
        self._arrivals.came(key, event["object"], added=event["type"] == "ADDED")
        if deleted or _seen(event["object"]):
            self._changes.came(key, event["object"], deleted=deleted)
        else:
            self._queue.add(key, urgent=True)

    async def child_changed(self, event: Mapping[str, Any], resource: kopf.Resource, **_: Any) -> None:
        """Look at the CodeModel that the child belongs to, unless the last look knew this already."""
        metadata = event["object"]["metadata"]
        self._versions.note(str(resource.kind), metadata["resourceVersion"])
        key = (metadata["namespace"], metadata["labels"][NAME_LABEL])
        self._changes.came(key, event["object"], deleted=event["type"] == "DELETED")


def _seen(codemodel: Mapping[str, Any]) -> bool:
    """Tell whether the status is of this spec."""
    status = codemodel.get("status")
    # An older schema may have stored anything.
    return (
        isinstance(status, dict) and status.get("observedGeneration") == codemodel["metadata"]["generation"]
    )


def _call_later(delay: float, callback: Callable[[], None]) -> asyncio.TimerHandle:
    return asyncio.get_running_loop().call_later(delay, callback)
