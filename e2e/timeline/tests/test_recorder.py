import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from kubernetes.client.exceptions import ApiException
from urllib3.exceptions import ProtocolError

from e2e.kubectl import KubectlError
from e2e.timeline.recorder import Recorder
from e2e.waiting import until

Batch = list[tuple[str, dict[str, Any]]] | Exception


def deployment(version: int, replicas: int, ready: int = 0) -> dict[str, Any]:
    metadata = {"name": "d", "resourceVersion": str(version), "generation": 1}
    return {
        "kind": "Deployment",
        "metadata": metadata,
        "spec": {"replicas": replicas},
        "status": {"readyReplicas": ready},
    }


class Server:
    """Answers each watch on Deployments with the next batch, and watches on other kinds with nothing."""

    def __init__(self, *batches: Batch) -> None:
        self.batches = list(batches)
        self.asked: list[str | None] = []
        self.idle = threading.Event()

    def watch(
        self, kind: str, namespace: str, version: str | None, seconds: int
    ) -> Iterator[tuple[str, dict[str, Any]]]:
        if kind != "Deployment" or not self.batches:
            self.idle.wait(0.05)
            return
        self.asked.append(version)
        batch = self.batches.pop(0)
        if isinstance(batch, Exception):
            raise batch
        yield from batch

    def close(self) -> None:
        """Nothing to close."""


def no_metrics(namespace: str) -> list[dict[str, Any]]:
    raise KubectlError("metrics not available yet")


def record(tmp_path: Path, server: Server) -> list[int]:
    with Recorder("ns", tmp_path / "new" / "timeline.jsonl", lambda: server, no_metrics):
        until(lambda: not server.batches, what="all batches to be read", seconds=10)
    lines = (tmp_path / "new" / "timeline.jsonl").read_text().splitlines()
    return [json.loads(line)["facts"]["replicas"] for line in lines]


def test_a_watch_goes_on_where_the_last_one_ended(tmp_path: Path) -> None:
    server = Server([("ADDED", deployment(5, 1))], [("MODIFIED", deployment(6, 3))], [])
    assert record(tmp_path, server) == [1, 3]
    assert server.asked == [None, "5", "6"]


@pytest.mark.parametrize("failure", [ApiException(status=410), ProtocolError("connection broken")])
def test_what_a_broken_watch_shows_again_is_kept_once(tmp_path: Path, failure: Exception) -> None:
    server = Server(
        [("ADDED", deployment(5, 1))],
        failure,
        [("ADDED", deployment(5, 1))],
        [("MODIFIED", deployment(6, 3))],
    )
    assert record(tmp_path, server) == [1, 3]


def test_a_refused_watch_fails_the_recording(tmp_path: Path) -> None:
    with pytest.raises(ApiException):
        record(tmp_path, Server(ApiException(status=403)))


def test_what_the_pods_use_is_recorded_once_a_measurement(tmp_path: Path) -> None:
    asked = []

    def measure(namespace: str) -> list[dict[str, Any]]:
        asked.append(namespace)
        usage = {"cpu": "5m", "memory": "1Mi"}
        stamp = "2026-01-01T00:00:15Z"
        return [
            {
                "kind": "PodMetrics",
                "metadata": {"name": n},
                "timestamp": stamp,
                "containers": [{"usage": usage}],
            }
            for n in "pp"
        ]

    with Recorder("ns", tmp_path / "timeline.jsonl", Server, measure) as recorder:
        until(lambda: asked, what="a measurement", seconds=10)
    assert [(entry.kind, entry.name, entry.facts["cpu_cores"]) for entry in recorder.entries] == [
        ("PodMetrics", "p", 0.005)
    ]


def test_a_mark_is_written_with_the_time_that_is_given(tmp_path: Path) -> None:
    with Recorder("ns", tmp_path / "timeline.jsonl", Server, no_metrics) as recorder:
        now = recorder.mark("now")
        recorder.mark("then", 1000.5)
    lines = (tmp_path / "timeline.jsonl").read_text().splitlines()
    entries = [json.loads(line) for line in lines]
    assert [(entry["name"], entry["at"]) for entry in entries] == [("now", now), ("then", 1000.5)]
