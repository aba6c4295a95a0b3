import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from e2e.operator_benchmark.operators import BenchmarkError, peak_of
from e2e.operator_benchmark.program import Program, text_of
from e2e.ports import free_ports


@pytest.fixture
def port() -> int:
    (port,) = free_ports(1)
    return port


@pytest.fixture
def server(tmp_path: Path, port: int) -> Iterator[Program]:
    (tmp_path / "metrics").write_text("up 1\n")
    words = (
        sys.executable,
        "-m",
        "http.server",
        "--bind",
        "127.0.0.1",
        "--directory",
        str(tmp_path),
        str(port),
    )
    program = Program(words, {}, tmp_path / "logs" / "server.log")
    yield program
    program.end()


def test_runs_from_its_start_to_its_end(server: Program, port: int) -> None:
    server.start(f"http://127.0.0.1:{port}/metrics")
    assert text_of(f"http://127.0.0.1:{port}/metrics") == "up 1\n"
    assert peak_of(server.pid) > 1
    server.end()
    with pytest.raises(BenchmarkError, match="does not run"):
        _ = server.pid


def test_runs_anew_after_an_end(server: Program, port: int) -> None:
    server.start(f"http://127.0.0.1:{port}/metrics")
    first = server.pid
    server.end()
    server.start(f"http://127.0.0.1:{port}/metrics")
    assert server.pid != first


def test_a_program_that_ends_at_once_shows_what_it_said(tmp_path: Path, port: int) -> None:
    program = Program((sys.executable, "-c", "raise SystemExit('no cluster')"), {}, tmp_path / "log")
    with pytest.raises(BenchmarkError, match=r"(?s)ended with status 1; the end of .*│ no cluster"):
        program.start(f"http://127.0.0.1:{port}/")


def test_a_program_that_cannot_be_run_says_why(tmp_path: Path, port: int) -> None:
    with pytest.raises(BenchmarkError, match="manager: No such file"):
        Program((tmp_path / "manager",), {}, tmp_path / "log").start(f"http://127.0.0.1:{port}/")


def test_its_environment_is_not_ours(tmp_path: Path, port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORKERS", "1")
    code = 'import os; raise SystemExit(f\'{os.environ.get("WORKERS")} {os.environ["KUBECONFIG"]}\')'
    program = Program((sys.executable, "-c", code), {"KUBECONFIG": "its own"}, tmp_path / "log")
    with pytest.raises(BenchmarkError, match="None its own"):
        program.start(f"http://127.0.0.1:{port}/")


def test_ctrl_c_on_the_terminal_does_not_reach_it(server: Program, port: int) -> None:
    server.start(f"http://127.0.0.1:{port}/metrics")
    assert os.getpgid(server.pid) != os.getpgid(0)
