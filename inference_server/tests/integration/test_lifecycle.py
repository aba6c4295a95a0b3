"""From start to end of the process: loading, failing, draining."""

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from inference_server.tests.support import ServerProcess, StartServer, eventually

FAILED_TO_LOAD = 3


def test_sigterm_lets_running_and_waiting_requests_finish(start_server: StartServer) -> None:
    server = start_server("--engine", "mock", "--mock-tokens-per-second", "20")
    server.wait_ready()
    with (
        server.stream(prompt="a", max_tokens=15) as running,
        server.stream(prompt="b", max_tokens=5) as waiting,
    ):
        assert "token" in next(running.events())
        server.terminate()
        assert list(running.events())[-1]["usage"]["completion_tokens"] == 15
        assert list(waiting.events())[-1]["usage"]["completion_tokens"] == 5
    assert server.exit_status() == 0
    assert not server.termination_log.exists()


def test_an_idle_server_ends_at_once(start_server: StartServer) -> None:
    server = start_server("--engine", "mock")
    server.wait_ready()
    # Open connections are given two seconds, for requests that may be under way on them.
    server.client.close()
    server.terminate()
    assert server.exit_status() == 0


def test_ctrl_c_ends_the_answers_that_are_under_way(start_server: StartServer) -> None:
    server = start_server("--engine", "mock", "--mock-tokens-per-second", "20")
    server.wait_ready()
    with (
        server.stream(prompt="a", max_tokens=4000) as running,
        server.stream(prompt="b", max_tokens=4000) as waiting,
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

Server(parse_settings(["--port", "0"], {}), Crashing(512, 1, 0), "m").run()
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
