"""Fixtures: the sample model, and the server as a real process."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from inference_server.tests.support import ServerProcess, StartServer
from models.sample_model.build import build


@pytest.fixture(scope="session")
def sample_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sample model's file."""
    path = tmp_path_factory.mktemp("model") / "sample-coder.gguf"
    build(path)
    return path


@pytest.fixture
def start_server(tmp_path: Path) -> Iterator[StartServer]:
    """Starts servers that end with the test."""
    started: list[ServerProcess] = []

    def start(*arguments: str, **environment: str) -> ServerProcess:
        server = ServerProcess(tmp_path, arguments, environment)
        started.append(server)
        return server

    yield start
    for server in started:
        server.close()


@pytest.fixture(scope="module")
def sample_server(sample_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A server with the sample model and the llama.cpp engine, ready."""
    server = ServerProcess(
        tmp_path_factory.mktemp("server"),
        ("--model", str(sample_model), "--engine", "llama-cpp", "--threads", "1", "--context-length", "1024"),
        {},
    )
    server.wait_ready()
    yield server
    server.close()
