"""GET /live of real servers, alone and among others."""

import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from codemodel_server.peers import Peers
from e2e.ports import free_ports
from inference_server.tests.support import ServerProcess, StartServer, eventually


@pytest.fixture
def silent_url() -> Iterator[str]:
    """A port that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"


def url_of(server: ServerProcess) -> str:
    return str(server.client.base_url).rstrip("/")


def test_a_replica_tells_what_it_does(start_server: StartServer) -> None:
    server = start_server(
        "--engine", "mock", "--parallel", "1", "--mock-tokens-per-second", "100", POD_NAME="pod-a"
    )
    server.wait_ready()
    idle = server.client.get("/live")
    assert idle.headers["Cache-Control"] == "no-store"
    assert idle.headers["Access-Control-Allow-Origin"] == "*"
    figures = idle.json()
    assert (figures["replica"], figures["status"], figures["running"]) == ("pod-a", "ready", 0)
    assert figures["time_to_first_token_seconds"] is None
    # What an interpreter has at least, and no machine has: a wrong unit is outside.
    assert 10_000_000 < figures["replicas"][0]["memory_bytes"] < 10_000_000_000
    assert figures["total"]["ready"] == figures["total"]["desired"] == len(figures["replicas"]) == 1
    with server.stream(prompt="x", max_tokens=4000) as stream:
        next(stream.events())
        with server.stream(prompt="waits", max_tokens=1) as waiting:
            assert waiting.next_line().startswith(":")
            busy = server.client.get("/live?self=1").json()
            assert (busy["running"], busy["waiting"]) == (1, 1)
            assert busy["time_to_first_token_seconds"] > 0
            assert "replicas" not in busy
        eventually(lambda: server.client.get("/live").json()["total"]["tokens_per_second"] > 0, "a rate")
    assert 0 < figures["cpu_seconds"] < server.client.get("/live").json()["cpu_seconds"]


def test_replicas_are_found_by_name(start_server: StartServer) -> None:
    (port,) = free_ports(1)
    server = start_server(
        "--engine", "mock", "--port", str(port), REPLICAS_HOST="127.0.0.1", POD_NAME="pod-a"
    )
    server.wait_ready()
    figures = server.client.get("/live").json()
    assert [replica["replica"] for replica in figures["replicas"]] == ["pod-a"]
    assert figures["total"]["ready"] == 1


def test_a_name_that_does_not_resolve_leaves_this_replica(start_server: StartServer) -> None:
    server = start_server("--engine", "mock", REPLICAS_HOST="nowhere.invalid", POD_NAME="pod-a")
    server.wait_ready()
    assert [replica["replica"] for replica in server.client.get("/live").json()["replicas"]] == ["pod-a"]


def test_peers_that_do_not_answer_count_as_not_ready(start_server: StartServer, silent_url: str) -> None:
    server = start_server("--engine", "mock", POD_NAME="pod-a")
    server.wait_ready()
    (port,) = free_ports(1)
    gone = f"http://127.0.0.1:{port}"
    seen = Peers(lambda: [url_of(server), gone, silent_url]).look()
    assert [(replica.replica, replica.status) for replica in seen] == [
        ("pod-a", "ready"),
        ("127.0.0.1", "unreachable"),
        ("127.0.0.1", "unreachable"),
    ]


def test_many_viewers_cost_one_look_a_second() -> None:
    now, looks = 0.0, []

    def resolve() -> list[str]:
        looks.append(now)
        return []

    peers = Peers(resolve, clock=lambda: now)
    with ThreadPoolExecutor(8) as viewers:
        list(viewers.map(lambda _: peers.look(), range(50)))
    assert len(looks) == 1
    now = 0.99
    peers.look()
    assert len(looks) == 1
    now = 1.0
    peers.look()
    assert len(looks) == 2
