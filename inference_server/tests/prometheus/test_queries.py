"""A real Prometheus scrapes a server and answers every query of docs/metrics.md."""

import math
import os
import re
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from e2e.cluster import settings
from e2e.ports import free_ports
from inference_server.tests.prometheus.build import PROMETHEUS
from inference_server.tests.support import ServerProcess, eventually

DOCUMENT = settings.ROOT / "docs" / "metrics.md"
QUERIES = re.findall(r"^```promql\n(.*?)\n```$", DOCUMENT.read_text(), re.MULTILINE | re.DOTALL)
# Building takes minutes where it was not done before.
pytestmark = pytest.mark.timeout(900)


class Prometheus:
    """A Prometheus that scrapes one server every second."""

    def __init__(self, folder: Path, target: str) -> None:
        (port,) = free_ports(1)
        address = f"127.0.0.1:{port}"
        configuration = folder / "prometheus.yml"
        configuration.write_text(
            "global: {scrape_interval: 1s}\n"
            f"scrape_configs: [{{job_name: server, static_configs: [{{targets: ['{target}']}}]}}]\n"
        )
        self._log = (folder / "prometheus.log").open("wb")
        self._process = subprocess.Popen(
            [
                PROMETHEUS.build() / "prometheus",
                f"--config.file={configuration}",
                f"--storage.tsdb.path={folder / 'data'}",
                f"--web.listen-address={address}",
            ],
            stdout=self._log,
            stderr=self._log,
            cwd=folder,
            env={"PATH": os.environ["PATH"]},
        )
        self.client = httpx.Client(base_url=f"http://{address}", trust_env=False)

    def ask(self, query: str) -> list[dict[str, Any]]:
        """The samples of a query's result; none before Prometheus answers."""
        try:
            response = self.client.get("/api/v1/query", params={"query": query})
        except httpx.TransportError:
            assert self._process.poll() is None, "Prometheus has ended"
            return []
        if response.status_code == httpx.codes.SERVICE_UNAVAILABLE:
            return []
        assert response.is_success, response.text
        result: list[dict[str, Any]] = response.json()["data"]["result"]
        return result

    def values(self, query: str) -> list[float] | None:
        """The values of a query's result once they are all finite."""
        values = [float(sample["value"][1]) for sample in self.ask(query)]
        return values if values and all(map(math.isfinite, values)) else None

    def close(self) -> None:
        self.client.close()
        self._process.send_signal(signal.SIGTERM)
        self._process.wait()
        self._log.close()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A server of the mock engine."""
    arguments = (
        "--engine",
        "mock",
        "--parallel",
        "1",
        "--queue-limit",
        "0",
        "--mock-tokens-per-second",
        "50",
    )
    process = ServerProcess(tmp_path_factory.mktemp("server"), arguments, {})
    process.wait_ready()
    yield process
    process.close()


@pytest.fixture(scope="module")
def prometheus(server: ServerProcess, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    """A Prometheus that has seen the server idle, and then busy."""
    started = Prometheus(tmp_path_factory.mktemp("prometheus"), server.management.base_url.netloc.decode())
    try:
        _make_busy(server, started)
        yield started
    finally:
        started.close()


def _make_busy(server: ServerProcess, prometheus: Prometheus) -> None:
    eventually(lambda: prometheus.values("up == 1"), "the server is scraped")
    with server.stream(prompt="add", max_tokens=200) as stream:
        assert "data" in stream.next_line()
        assert server.chat(prompt="subtract").status_code == 429
        eventually(lambda: prometheus.values("codemodel_requests_running == 1"), "a request is seen running")
    eventually(lambda: server.metric("codemodel_requests_running") == 0, "the stream's place is free again")
    for number in range(5):
        assert server.chat(prompt=f"add {number}", max_tokens=5).is_success


def test_there_are_queries() -> None:
    assert len(QUERIES) > 10


@pytest.mark.parametrize("query", QUERIES)
def test_a_documented_query_has_a_finite_result(prometheus: Prometheus, query: str) -> None:
    assert eventually(lambda: prometheus.values(query), f"{query} has a result")


def test_the_metrics_pass_promtools_check(server: ServerProcess, prometheus: Prometheus) -> None:
    text = server.management.get("/metrics").content
    check = (PROMETHEUS.build() / "promtool", "check", "metrics")
    done = subprocess.run(check, input=text, capture_output=True, check=False)
    complaints = done.stderr.decode().splitlines()
    # These names are llama-server's and vLLM's, not ours to choose.
    assert [line for line in complaints if not line.startswith(("llamacpp:", "vllm:"))] == []
    assert prometheus.values("count({__name__=~'codemodel_.*'})")
