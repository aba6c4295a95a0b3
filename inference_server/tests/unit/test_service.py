"""What the service does beside HTTP."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from codemodel_server.cancellation import Cancellation
from codemodel_server.engines.events import Event, Finish, Text, Waiting
from codemodel_server.engines.mock import MockEngine, MockGeneration
from codemodel_server.engines.request import GenerationRequest, Instruction
from codemodel_server.errors import (
    DeadlineError,
    EngineFailedError,
    InvalidRequestError,
    NotReadyError,
    QueueFullError,
)
from codemodel_server.metrics import Metrics
from codemodel_server.service import Job, Service, Status


def asking(tokens: int) -> GenerationRequest:
    return GenerationRequest(Instruction("x"), tokens)


REQUEST = asking(4)


class Clock:
    """Time that passes when told."""

    now = 0.0

    def __call__(self) -> float:
        return self.now

    def wait(self, cancellation: Cancellation, seconds: float) -> bool:
        self.now += seconds
        return cancellation.cancelled


class Served:
    """A service of one slot around an engine that writes a token a second, with a clock of its own."""

    def __init__(self, queue_limit: int = 1, patience: float = 0.0, failure: float = 0.0) -> None:
        self.clock = Clock()
        self.metrics = Metrics()
        self.engine = MockEngine(512, 1, 1.0, failure, wait=self.clock.wait, clock=self.clock)
        self.engine.reserved = 0
        self.service = Service(self.engine, "m", queue_limit, self.metrics, patience, clock=self.clock)

    def metric(self, name: str, **labels: str) -> float:
        return self.metrics.registry.get_sample_value(name, labels) or 0.0

    def ended(self, reason: str) -> float:
        return self.metric("codemodel_requests_ended_total", reason=reason)


@contextmanager
def loaded(queue_limit: int = 1, patience: float = 0.0, failure: float = 0.0) -> Iterator[Served]:
    served = Served(queue_limit, patience, failure)
    served.service.open()
    yield served


def finish(job: Job) -> Finish:
    return next(event for event in job.events() if isinstance(event, Finish))


def test_requests_are_taken_between_loading_and_draining() -> None:
    service = Served().service
    assert service.status == Status.LOADING
    with pytest.raises(NotReadyError, match="loading"):
        service.submit(REQUEST)
    service.open()
    job = service.submit(REQUEST)
    service.drain(patience=10)
    with pytest.raises(NotReadyError, match="draining"):
        service.submit(REQUEST)
    finish(job)


def test_a_failed_load_is_remembered() -> None:
    service = Served().service
    service.fail("no such file")
    assert service.status == Status.FAILED
    with pytest.raises(NotReadyError, match="no such file"):
        service.submit(REQUEST)


def test_retry_after_follows_the_pace_of_the_last_requests() -> None:
    with loaded() as served:
        for _ in range(50):
            finish(served.service.submit(asking(30)))
        served.service.submit_all([REQUEST, REQUEST])
        with pytest.raises(QueueFullError) as refused:
            served.service.submit(REQUEST)
        # Half of the two that wait or come take a request of 30 s each.
        assert refused.value.retry_after == 30
        assert served.metric("codemodel_queue_refusals_total") == 1


def test_a_full_queue_refuses_before_the_prompt_is_read() -> None:
    with loaded(queue_limit=0) as served:
        served.service.submit(REQUEST)

        def prepare(_: GenerationRequest) -> MockGeneration:
            pytest.fail("the prompt was read")

        served.engine.prepare = prepare  # type: ignore[assignment, method-assign]
        with pytest.raises(QueueFullError):
            served.service.submit(REQUEST)


def test_a_place_is_free_when_the_engine_is_done_however_slowly_the_answer_is_taken() -> None:
    """Whoever reads a stream a byte at a time keeps nobody from theirs."""
    ends: list[Callable[[], None]] = []

    class Done:
        prompt_tokens = 1

        def run(self, _: Cancellation, ended: Callable[[], None]) -> Iterator[Event]:
            ends.append(ended)
            yield Text("x")
            yield Finish("stop", 1, 1)

    with loaded(queue_limit=0) as served:
        served.engine.prepare = lambda _: Done()  # type: ignore[assignment, method-assign, return-value]
        events = served.service.submit(REQUEST).events()
        assert next(events) == Text("x")
        with pytest.raises(QueueFullError):
            served.service.submit(REQUEST)
        for ended in ends:
            ended()
        finish(served.service.submit(REQUEST))
        assert next(events) == Finish("stop", 1, 1)


def test_several_requests_are_taken_together_or_not_at_all() -> None:
    with loaded() as served:
        with pytest.raises(InvalidRequestError):
            served.service.submit_all([REQUEST, GenerationRequest(Instruction("x" * 9999), 4)])
        with pytest.raises(InvalidRequestError, match="this server takes 2"):
            served.service.submit_all([REQUEST] * 3)
        one = served.service.submit(REQUEST)
        with pytest.raises(QueueFullError):
            served.service.submit_all([REQUEST] * 2)
        assert (served.service.running, served.service.waiting) == (1, 0)
        finish(one)
        for job in served.service.submit_all([REQUEST] * 2):
            finish(job)


def test_what_takes_too_long_is_cut_off_when_the_server_has_to_end() -> None:
    with loaded() as served:
        done, running = served.service.submit_all([asking(2), REQUEST])
        served.service.drain(patience=4)
        finish(done)
        events = running.events()
        assert isinstance(next(events), Text)
        served.clock.now = 4
        served.service.expire()
        with pytest.raises(NotReadyError, match="shutting down") as refused:
            list(events)
        assert refused.value.retry_after
        assert served.ended("shutdown") == 1


def test_a_request_is_given_up_at_its_deadline_running_or_waiting() -> None:
    with loaded(patience=5) as served:
        running, waiting = served.service.submit_all([asking(100), REQUEST])
        events = running.events()
        next(events)
        served.clock.now = 5
        served.service.expire()
        for late in (iter(waiting.events()), events):
            with pytest.raises(DeadlineError, match="longer than 5 s"):
                list(late)
        assert served.ended("deadline") == 2
        finish(served.service.submit(REQUEST))


def test_a_client_that_leaves_while_it_waits_ends_without_an_error() -> None:
    with loaded() as served:
        _, waiting = served.service.submit_all([REQUEST, REQUEST])
        events = waiting.events()
        assert isinstance(next(events), Waiting)
        waiting.cancellation.cancel()
        assert list(events) == []
        assert served.service.waiting == 0
        assert served.ended("cancelled") == 1


def test_closing_the_events_gives_the_place_to_the_next() -> None:
    with loaded() as served:
        first, second = served.service.submit_all([asking(100), REQUEST])
        events = first.events()
        next(events)
        events.close()  # type: ignore[attr-defined]
        assert served.engine.activity().slots == ()
        finish(second)
        assert served.ended("cancelled") == 1


def test_a_job_that_is_not_begun_can_leave() -> None:
    with loaded(queue_limit=0) as served:
        served.service.submit(REQUEST).leave()
        finish(served.service.submit(REQUEST))


def test_a_failure_of_the_engine_is_counted_and_frees_the_place() -> None:
    with loaded(queue_limit=0, failure=1) as served:
        for _ in range(2):
            with pytest.raises(EngineFailedError):
                list(served.service.submit(REQUEST).events())
        assert served.ended("failed") == 2
        assert served.ended("cancelled") == 0


def test_an_answer_is_measured() -> None:
    with loaded() as served:
        end = finish(served.service.submit(REQUEST))
        assert served.ended("length") == 1
        assert served.metric("codemodel_prompt_tokens_total") == end.prompt_tokens
        assert served.metric("codemodel_generated_tokens_total") == 4
        assert served.metric("codemodel_time_to_first_token_seconds_sum") == 1
        assert served.metric("codemodel_inter_token_seconds_sum") == 3
        assert served.metric("codemodel_request_duration_seconds_sum") == 4
        assert served.metric("vllm:inter_token_latency_seconds_count") == 3
        assert served.metric("vllm:request_success_total", finished_reason="length") == 1
        assert served.metric("llamacpp:n_decode_total") == 4
        assert served.metric("llamacpp:predicted_tokens_seconds") == pytest.approx(4 / 3)
