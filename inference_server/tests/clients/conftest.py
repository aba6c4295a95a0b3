"""A server that clients talk to: with each engine that needs nothing else."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from inference_server.tests.support import ServerProcess

KEY = "sk-team-7"
CONTEXT = 1024


@pytest.fixture(scope="session", params=["mock", "llama-cpp"])
def server(
    request: pytest.FixtureRequest, sample_model: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ServerProcess]:
    """A server that asks for KEY."""
    folder = tmp_path_factory.mktemp("clients")
    keys = folder / "keys"
    keys.write_text(f"sk-other\n{KEY}\n")
    engine = {
        "mock": ("--mock-tokens-per-second", "200"),
        "llama-cpp": ("--model", str(sample_model), "--threads", "1"),
    }[request.param]
    arguments = ("--engine", request.param, *engine, "--context-length", str(CONTEXT))
    server = ServerProcess(folder, (*arguments, "--api-keys", str(keys), "--model-name", "coder"), {})
    server.wait_ready()
    server.client.headers["Authorization"] = f"Bearer {KEY}"
    yield server
    server.close()
