"""Several requests at a time: who waits, who is refused, and that whoever leaves frees a place."""

from contextlib import ExitStack

import pytest

from inference_server.tests.support import ServerProcess, StartServer, eventually

RUNNING, WAITING = "codemodel_requests_running", "codemodel_requests_waiting"
LONG = 4000


@pytest.fixture
def slow_server(start_server: StartServer) -> ServerProcess:
    """One request at a time, one may wait; an answer of LONG tokens takes minutes."""
    server = start_server(
        "--engine", "mock", "--mock-tokens-per-second", "20", "--parallel", "1", "--queue-limit", "1"
    )
    server.wait_ready()
    return server


def test_beyond_the_bound_requests_are_refused_with_a_time_to_come_back(slow_server: ServerProcess) -> None:
    with ExitStack() as streams:
        running = streams.enter_context(slow_server.stream(prompt="a", max_tokens=LONG))
        assert "token" in next(running.events())
        waiting = streams.enter_context(slow_server.stream(prompt="b", max_tokens=LONG))
        assert waiting.next_line().startswith(":")
        assert slow_server.metric(RUNNING) == 1
        assert slow_server.metric(WAITING) == 1

        refused = slow_server.chat(prompt="c")
        assert refused.status_code == 429
        assert int(refused.headers["Retry-After"]) >= 1
        assert refused.json()["error"]["type"] == "queue_full"
        assert slow_server.client.get("/health").is_success
        assert slow_server.client.get("/ready").is_success


def test_more_answers_than_there_may_ever_be_are_not_asked_to_come_back(slow_server: ServerProcess) -> None:
    body = {"prompt": "a", "max_tokens": 1}
    assert slow_server.client.post("/v1/completions", json={**body, "n": 2}).is_success
    refused = slow_server.client.post("/v1/completions", json={**body, "n": 3})
    assert refused.status_code == 400
    assert "this server takes 2" in refused.json()["error"]["message"]


def test_whoever_leaves_frees_a_place(slow_server: ServerProcess) -> None:
    with slow_server.stream(prompt="a", max_tokens=LONG) as first:
        assert "token" in next(first.events())
        with slow_server.stream(prompt="b", max_tokens=LONG) as second:
            assert second.next_line().startswith(":")
        eventually(lambda: slow_server.metric(WAITING) == 0, "the waiting request's place free")
    with slow_server.stream(prompt="c", max_tokens=2) as third:
        assert list(third.events())[-1]["done"] is True


def test_as_many_run_as_may(start_server: StartServer) -> None:
    server = start_server("--engine", "mock", "--mock-tokens-per-second", "20", "--parallel", "3")
    server.wait_ready()
    with ExitStack() as streams:
        for _ in range(4):
            streams.enter_context(server.stream(prompt="a", max_tokens=LONG))
        eventually(lambda: (server.metric(RUNNING), server.metric(WAITING)) == (3, 1), "three running")
