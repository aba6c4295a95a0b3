"""Records a timeline from watches, one thread a kind, and from the pods' measurements."""

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, Self

from kubernetes.client.exceptions import ApiException
from kubernetes.dynamic.exceptions import DynamicApiError
from urllib3.exceptions import HTTPError

from e2e.api import Api
from e2e.kubectl import KubectlError
from e2e.timeline.entries import MARK, Entry, to_json_lines
from e2e.timeline.facts import facts_of
from e2e.timeline.measurements import pod_metrics

KINDS = ("HorizontalPodAutoscaler", "Deployment", "Pod", "Event")

_WATCH_SECONDS = 2
"""Watches are this short, and go on where the last one ended, so that a recorder ends within this time."""

_MEASURE_SECONDS = 5
"""A third of the interval in which metrics-server measures."""


class Watcher(Protocol):
    """What a recorder needs of :class:`e2e.api.Api`."""

    def watch(
        self, kind: str, namespace: str, version: str | None, seconds: int
    ) -> Iterator[tuple[str, dict[str, Any]]]:
        """See `Api.watch`."""

    def close(self) -> None:
        """See `Api.close`."""


class Recorder:
    """Watches a namespace as long as its body runs.

    Only what changes is kept, so a watch that begins anew, after a break, adds nothing twice.
    """

    def __init__(
        self,
        namespace: str,
        path: Path,
        connect: Callable[[], Watcher] = Api,
        measure: Callable[[str], list[dict[str, Any]]] = pod_metrics,
    ) -> None:
        """Prepare a recorder.

        Args:
            namespace: where to watch.
            path: the JSON-lines file that is written when the recording ends.
            connect: returns a connection to the API server; each thread makes its own.
            measure: returns the PodMetrics of a namespace.
        """
        self.entries: list[Entry] = []
        """What happened so far, in the order in which it was noted; grows while the recorder runs."""

        self._namespace = namespace
        self._path = path
        self._connect = connect
        self._measure = measure
        self._adding = threading.Lock()
        self._last: dict[tuple[str, str], Entry] = {}
        self._stop = threading.Event()
        self._threads = ThreadPoolExecutor(len(KINDS) + 1)
        self._watches: list[Future[None]] = []

    def __enter__(self) -> Self:
        self._watches = [self._threads.submit(self._record, kind) for kind in KINDS]
        self._watches.append(self._threads.submit(self._sample))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self._stop.set()
        self._threads.shutdown()
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._path.write_text(to_json_lines(self.entries))
        if error is None:
            for watch in self._watches:
                watch.result()

    def mark(self, name: str, at: float | None = None) -> float:
        """Note that something happens now, or happened at a time (Unix time, seconds), and return the time."""
        with self._adding:
            entry = Entry(time.time() if at is None else at, MARK, name, "ADDED")
            self.entries.append(entry)
        return entry.at

    def latest(self, kind: str, name: str) -> Entry | None:
        """Return the last entry of an object, None when it has not been seen."""
        return self._last.get((kind, name))

    def _record(self, kind: str) -> None:
        version: str | None = None
        api = self._connect()
        while not self._stop.is_set():
            try:
                for change, manifest in api.watch(kind, self._namespace, version, _WATCH_SECONDS):
                    version = manifest["metadata"]["resourceVersion"]
                    self._add(change, manifest)
            except (ApiException, DynamicApiError) as error:
                if error.status != 410:  # 410: the version is too old; begin anew
                    raise
                version = None
            except HTTPError:
                # The API server was away for a moment; what changed meanwhile comes with the next watch.
                self._stop.wait(0.5)
        api.close()

    def _sample(self) -> None:
        while not self._stop.is_set():
            # metrics-server may be away for a moment, or know no pod yet; the autoscaler's own value is watched.
            with suppress(KubectlError):
                for manifest in self._measure(self._namespace):
                    self._add("MODIFIED", manifest)
            self._stop.wait(_MEASURE_SECONDS)

    def _add(self, change: str, manifest: dict[str, Any]) -> None:
        kind, name = manifest["kind"], manifest["metadata"]["name"]
        with self._adding:
            entry = Entry(time.time(), kind, name, change, facts_of(manifest))
            last = self._last.get((kind, name))
            if last and change != "DELETED" and last.change != "DELETED" and last.facts == entry.facts:
                return
            self._last[kind, name] = entry
            self.entries.append(entry)
