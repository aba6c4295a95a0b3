import asyncio
import threading
from collections.abc import Iterator

import pytest

from e2e.load.driver import Plan, running
from e2e.load.target import TargetError
from e2e.load.tests.server import Server, answers
from e2e.waiting import until


@pytest.fixture
def replica() -> Iterator[str]:
    """A server in a thread of its own, as the driver is: its URL."""
    started = threading.Event()
    server = Server(answers(tokens=2))
    loop = asyncio.new_event_loop()
    ending = asyncio.Event()

    async def serve() -> None:
        async with server.running():
            started.set()
            await ending.wait()

    thread = threading.Thread(target=lambda: loop.run_until_complete(serve()))
    thread.start()
    started.wait()
    yield server.url
    loop.call_soon_threadsafe(ending.set)
    thread.join()
    loop.close()


def test_it_sends_until_stopped_and_records_every_answer(replica: str) -> None:
    with running(Plan(replica, clients=3, seconds=60)) as load:
        until(lambda: len(load.requests), lambda n: n >= 12, what="a dozen requests", seconds=30)
    assert {request.replica for request in load.requests} == {"replica-a"}
    assert not any(request.failed for request in load.requests)


def test_it_ends_by_itself(replica: str) -> None:
    with running(Plan(replica, clients=1, seconds=0.2)) as load:
        until(lambda: len(load.requests), what="a request", seconds=30)
    assert not any(request.failed for request in load.requests)


def test_a_server_that_is_away_is_a_recorded_failure() -> None:
    with running(Plan("http://127.0.0.1:9", clients=1, seconds=60, pause_seconds=0.01)) as load:
        until(lambda: len(load.requests), what="a request", seconds=30)
    assert load.requests[0].failed
    assert "ClientConnectorError" in (load.requests[0].error or "")


def test_only_this_machine_can_be_loaded() -> None:
    with pytest.raises(TargetError, match="not on this machine"):
        Plan("http://10.0.0.1", clients=1, seconds=1)


@pytest.mark.parametrize("change", [{"clients": 0}, {"clients": 1000}, {"seconds": 0}, {"seconds": 10_000}])
def test_a_plan_out_of_bounds_is_refused(change: dict[str, int]) -> None:
    with pytest.raises(ValueError, match=f"{next(iter(change))}"):
        Plan("http://127.0.0.1:1", **{"clients": 1, "seconds": 1, **change})  # type: ignore[arg-type]
