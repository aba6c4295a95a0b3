"""From start to end of the process: loading, failing, draining."""

import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from inference_server.tests.support import ServerProcess, StartServer, eventually

FAILED_TO_LOAD = 3
LONG = 4000


@pytest.fixture
def slow_server(start_server: StartServer) -> ServerProcess:
    """One request at a time; an answer of LONG tokens takes minutes."""
    server = start_server("--engine", "mock", "--mock-tokens-per-second", "20", "--parallel", "1")
    server.wait_ready()
    return server


def test_sigterm_lets_running_and_waiting_requests_finish(slow_server: ServerProcess) -> None:
    with (
        slow_server.stream(prompt="a", max_tokens=15) as running,
        slow_server.stream(prompt="b", max_tokens=5) as waiting,
    ):
        assert "token" in next(running.events())
        slow_server.terminate()
        assert list(running.events())[-1]["usage"]["completion_tokens"] == 15
        assert list(waiting.events())[-1]["usage"]["completion_tokens"] == 5
    assert slow_server.exit_status() == 0
    assert not slow_server.termination_log.exists()


def test_after_sigterm_new_requests_are_refused_and_the_management_port_says_why(
    slow_server: ServerProcess,
) -> None:
    with slow_server.connection() as early, slow_server.stream(prompt="a", max_tokens=40) as running:
        # Accepted before SIGTERM; a new connection would be refused by the kernel.
        early.request("GET", "/health")
        early.getresponse().read()
        assert "token" in next(running.events())
        slow_server.terminate()
        eventually(lambda: slow_server.management.get("/ready").json()["status"] == "draining", "draining")
        assert slow_server.management.get("/ready").status_code == 503
        assert slow_server.management.get("/health").is_success
        early.request("POST", "/chat", json.dumps({"prompt": "b"}), {"Content-Type": "application/json"})
        refused = early.getresponse()
        assert refused.status == 503
        assert refused.getheader("Retry-After")
        refused.read()
        assert list(running.events())[-1]["done"] is True
    assert slow_server.exit_status() == 0


def test_what_has_not_ended_after_the_grace_ends_with_an_error(start_server: StartServer) -> None:
    server = start_server(
        "--engine", "mock", "--mock-tokens-per-second", "20", "--parallel", "1", "--grace-seconds", "0.5"
    )
    server.wait_ready()
    with (
        server.stream(prompt="a", max_tokens=LONG) as running,
        server.stream(prompt="b", max_tokens=LONG) as waiting,
    ):
        assert "token" in next(running.events())
        server.terminate()
        for stream in (running, waiting):
            assert "shutting down" in list(stream.events())[-1]["error"]["message"]
    assert server.exit_status() == 0


def test_a_killed_worker_is_started_again(slow_server: ServerProcess) -> None:
    with slow_server.stream(prompt="a", max_tokens=LONG) as cut:
        assert "token" in next(cut.events())
        os.kill(worker_of(slow_server), signal.SIGKILL)
        with pytest.raises(httpx.TransportError):
            list(cut.events())
    # Who asks meanwhile waits for the new one: nobody is refused.
    assert slow_server.management.get("/health").is_success
    slow_server.wait_ready()
    assert slow_server.chat(prompt="b", max_tokens=2).is_success
    slow_server.terminate()
    assert slow_server.exit_status() == 0


def worker_of(server: ServerProcess) -> int:
    """The process id of the only child of the main process."""
    children = Path(f"/proc/{server.process.pid}/task/{server.process.pid}/children")
    (worker,) = children.read_text().split()
    return int(worker)


def test_an_idle_server_ends_at_once(start_server: StartServer) -> None:
    server = start_server("--engine", "mock")
    server.wait_ready()
    # Open connections are given two seconds, for requests that may be under way on them.
    server.client.close()
    server.terminate()
    assert server.exit_status() == 0


def test_ctrl_c_ends_the_answers_that_are_under_way(slow_server: ServerProcess) -> None:
    server = slow_server
    with (
        server.stream(prompt="a", max_tokens=LONG) as running,
        server.stream(prompt="b", max_tokens=LONG) as waiting,
    ):
        assert "token" in next(running.events())
        server.process.send_signal(signal.SIGINT)
        for stream in (running, waiting):
            assert "shutting down" in list(stream.events())[-1]["error"]["message"]
    assert server.exit_status() == 0


def test_a_model_that_cannot_be_loaded_ends_the_server_with_the_reason(
    start_server: StartServer, sample_model: Path, tmp_path: Path
) -> None:
    path = tmp_path / "truncated.gguf"
    good = sample_model.read_bytes()
    path.write_bytes(good[: len(good) // 2])
    server = start_server("--engine", "llama-cpp", "--model", str(path))
    answer = eventually(lambda: _failed(server), "failed")
    assert answer["status"] == "failed"
    assert str(path) in answer["reason"]
    assert server.exit_status() == FAILED_TO_LOAD
    message = server.termination_log.read_text()
    assert message.startswith("LoadFailed: ")
    assert str(path) in message
    assert "\n" not in message


def _failed(server: ServerProcess) -> dict[str, str] | None:
    answer = server.client.get("/ready").json()
    return answer if answer["status"] == "failed" else None


CRASHING = """
import os, signal, sys
from codemodel_server.engines.mock import MockEngine
from codemodel_server.server import Server
from codemodel_server.settings import parse_settings

class Crashing(MockEngine):
    def load(self):
        os.kill(os.getpid(), signal.SIGSEGV)

Server(parse_settings(["--port", "0", "--management-port", "0"], {}), Crashing(512, 1, 0), "m").run()
"""


def test_a_crash_while_loading_ends_the_server_instead_of_repeating(tmp_path: Path) -> None:
    environment = {"PYTHONPATH": ":".join(sys.path), "TERMINATION_LOG": str(tmp_path / "termination-log")}
    command = [sys.executable, "-c", CRASHING]
    run = subprocess.run(command, env=environment, capture_output=True, timeout=30, check=False)
    assert run.returncode == FAILED_TO_LOAD
    assert "crashed while it loaded" in (tmp_path / "termination-log").read_text()


@pytest.mark.parametrize(
    ("arguments", "environment", "named"),
    [
        (["--port", "http"], {}, "--port"),
        ([], {"CONTEXT_LENGTH": "4"}, "CONTEXT_LENGTH"),
        (["--engine", "mock", "--host", "192.0.2.1"], {}, "192.0.2.1 port 8081"),
        (["--engine", "vllm"], {}, "--engine"),
        ([], {"OLLAMA_URL": "http://[::1"}, "OLLAMA_URL"),
        (["--engine", "llama-cpp"], {}, "MODEL_PATH"),
        (["--no-such-flag"], {}, "--no-such-flag"),
    ],
)
def test_a_wrong_setting_is_named(arguments: list[str], environment: dict[str, str], named: str) -> None:
    path = {"PYTHONPATH": ":".join(sys.path)}
    command = [sys.executable, "-m", "codemodel_server.cli", *arguments]
    run = subprocess.run(command, env={**path, **environment}, capture_output=True, text=True, check=False)
    assert run.returncode == 2
    assert named in run.stderr


def test_the_log_says_in_json_how_long_loading_took(sample_server: ServerProcess) -> None:
    lines = [json.loads(line) for line in sample_server.log().splitlines()]
    (ready,) = [line for line in lines if line["message"] == "ready"]
    assert ready["model"] == "sample-coder"
    assert ready["seconds"] >= 0


def test_a_management_port_that_is_taken_ends_the_server_with_the_reason(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
        command = [sys.executable, "-m", "codemodel_server.cli", "--engine", "mock", "--port", "0"]
        environment = {"PYTHONPATH": ":".join(sys.path), "TERMINATION_LOG": str(tmp_path / "termination-log")}
        run = subprocess.run(
            [*command, "--management-port", port],
            env=environment, capture_output=True, text=True, timeout=30, check=False,
        )  # fmt: skip
    assert run.returncode == 2
    assert f"port {port}: Address already in use" in run.stderr
    assert f"port {port}" in (tmp_path / "termination-log").read_text()
