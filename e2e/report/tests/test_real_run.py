"""From the server through the load generator to the report, without a cluster: the two agree on every figure."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from e2e.report.making import make
from e2e.report.prices import DEFAULT
from e2e.report.runs import read
from inference_server.tests.support import ServerProcess

SCENARIO = """
scenario: benchmark
about: a few requests
results: benchmark_results.json
prompts: ["def f{n}():"]
max_tokens: 8
timeout_seconds: 20
goodput: {ttft_seconds: 2, tpot_seconds: 0.2}
profiles:
  ci:
    phases:
      - {name: light, arrivals: {kind: closed, clients: 2}, requests: 6}
      - {name: heavy, arrivals: {kind: poisson, rate: 10}, seconds: 2}
"""


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ServerProcess]:
    started = ServerProcess(tmp_path, ["--engine", "mock", "--mock-tokens-per-second", "100"], {})
    started.wait_ready()
    yield started
    started.close()


def test_what_the_generator_wrote_becomes_a_report(server: ServerProcess, tmp_path: Path) -> None:
    (tmp_path / "few.yaml").write_text(SCENARIO)
    command = [sys.executable, "-m", "e2e.load", "run", str(tmp_path / "few.yaml"), "--profile", "ci"]
    # 1 is the exit code of a load that the generator itself could not keep up with, as on a busy machine.
    target = ["--target", str(server.client.base_url), "--output", str(tmp_path)]
    assert subprocess.run([*command, *target], check=False, timeout=60).returncode in (0, 1)

    run = read(tmp_path).runs["benchmark"]
    assert run.contradictions == []
    assert run.parts[0].summary.requests == 6
    assert [part.summary.success_rate for part in run.parts] == [1.0, 1.0]
    assert all(part.summary.tokens_per_second > 0 and part.summary.ttft for part in run.parts)

    written = make(tmp_path, tmp_path / "out", DEFAULT, lambda _: None)
    assert {path.name for path in written} == {
        "report.html", "report.md", "latency_comparison.png", "throughput_comparison.png", "ttft_ecdf.png",
        "success_rate.png",
    }  # fmt: skip
    assert str(run.results.machine.cores) in (tmp_path / "out/report.md").read_text()
