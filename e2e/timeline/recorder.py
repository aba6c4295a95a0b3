"""Records a timeline from watches, one thread a kind."""

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, Self

from kubernetes.client.exceptions import ApiException
from kubernetes.dynamic.exceptions import DynamicApiError
from urllib3.exceptions import HTTPError

from e2e.api import Api
from e2e.timeline.entries import MARK, Entry, facts_of, to_json_lines

KINDS = ("HorizontalPodAutoscaler", "Deployment", "Pod", "Event")

_WATCH_SECONDS = 2
"""Watches are this short, and go on where the last one ended, so that a recorder ends within this time."""


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

    def __init__(self, namespace: str, path: Path, connect: Callable[[], Watcher] = Api) -> None:
        """Prepare a recorder.

        Args:
            namespace: where to watch.
            path: the JSON-lines file that is written when the recording ends.
            connect: returns a connection to the API server; each thread makes its own.
        """
        self.entries: list[Entry] = []
        """What happened so far, oldest first; grows while the recorder runs."""

        self._namespace = namespace
        self._path = path
        self._connect = connect
        self._adding = threading.Lock()
        self._last: dict[tuple[str, str], Entry] = {}
        self._stop = threading.Event()
        self._threads = ThreadPoolExecutor(len(KINDS))
        self._watches: list[Future[None]] = []

    def __enter__(self) -> Self:
        self._watches = [self._threads.submit(self._record, kind) for kind in KINDS]
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

    def mark(self, name: str) -> float:
        """Note that something happens now, and return the time."""
        with self._adding:
            entry = Entry(time.time(), MARK, name, "ADDED")
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

    def _add(self, change: str, manifest: dict[str, Any]) -> None:
        kind, name = manifest["kind"], manifest["metadata"]["name"]
        with self._adding:
            entry = Entry(time.time(), kind, name, change, facts_of(manifest))
            last = self._last.get((kind, name))
            if last and change != "DELETED" and last.change != "DELETED" and last.facts == entry.facts:
                return
            self._last[kind, name] = entry
            self.entries.append(entry)
