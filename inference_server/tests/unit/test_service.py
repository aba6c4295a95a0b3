"""What the service does beside HTTP."""

import pytest

from codemodel_server.engines.base import Finish, GenerationRequest, Text
from codemodel_server.engines.mock import MockEngine
from codemodel_server.errors import LoadError, NotReadyError, QueueFullError
from codemodel_server.metrics import Metrics
from codemodel_server.service import Service, Status

REQUEST = GenerationRequest("x", max_tokens=4)


class Clock:
    """Time that passes when told."""

    now = 0.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def service(clock: Clock, queue_limit: int = 1) -> Service:
    engine = MockEngine(512, 1, tokens_per_second=1, sleep=clock.sleep)
    return Service(engine, "m", queue_limit, Metrics(), clock)


def test_requests_are_taken_between_loading_and_draining() -> None:
    served = service(Clock())
    assert served.status == Status.LOADING
    with pytest.raises(NotReadyError, match="loading"):
        served.submit(REQUEST)
    served.load()
    job = served.submit(REQUEST)
    served.drain(patience=10)
    with pytest.raises(NotReadyError, match="draining"):
        served.submit(REQUEST)
    assert list(job.events(lambda: False))


def test_a_failed_load_is_remembered() -> None:
    served = service(Clock())

    def fail() -> None:
        raise LoadError("no such file")

    served.engine.load = fail  # type: ignore[method-assign]
    with pytest.raises(LoadError):
        served.load()
    with pytest.raises(NotReadyError, match="no such file"):
        served.submit(REQUEST)


def test_retry_after_follows_the_pace_of_the_last_requests() -> None:
    clock = Clock()
    served = service(clock)
    served.load()
    for _ in range(50):
        list(served.submit(GenerationRequest("x", max_tokens=30)).events(lambda: False))
    served.submit(REQUEST)
    served.submit(REQUEST)
    with pytest.raises(QueueFullError) as refused:
        served.submit(REQUEST)
    # Half of the two that wait or come take a request of 30 s each.
    assert refused.value.retry_after == 30


def test_retry_after_learns_from_answers_that_nobody_asks_more_of() -> None:
    clock = Clock()
    served = service(clock, queue_limit=0)
    served.load()
    for _ in range(50):
        # As an answer that is not streamed is read: until its Finish, and no further.
        events = served.submit(GenerationRequest("x", max_tokens=30)).events(lambda: False)
        next(event for event in events if isinstance(event, Finish))
        del events
    served.submit(REQUEST)
    with pytest.raises(QueueFullError) as refused:
        served.submit(REQUEST)
    assert refused.value.retry_after == 15


def test_what_takes_too_long_is_cut_off_when_the_server_has_to_end() -> None:
    clock = Clock()
    served = service(clock)
    served.load()
    done, running = (served.submit(GenerationRequest("x", max_tokens=2)) for _ in range(2))
    served.drain(patience=4)
    assert isinstance(list(done.events(lambda: False))[-1], Finish)
    events = running.events(lambda: False)
    assert isinstance(next(events), Text)
    with pytest.raises(NotReadyError, match="shutting down") as refused:
        list(events)
    assert refused.value.retry_after


def test_a_job_that_is_not_begun_can_leave() -> None:
    served = service(Clock(), queue_limit=0)
    served.load()
    served.submit(REQUEST).leave()
    assert list(served.submit(REQUEST).events(lambda: False))
