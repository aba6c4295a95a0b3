"""One engine behind one queue: everything about serving that is not HTTP."""

import math
import threading
import time
from collections.abc import Callable, Iterator
from enum import StrEnum

from codemodel_server.engines.base import (
    Abandoned,
    Engine,
    Event,
    Finish,
    Generation,
    GenerationRequest,
    Text,
)
from codemodel_server.errors import LoadError, NotReadyError, QueueFullError
from codemodel_server.metrics import Metrics
from codemodel_server.scheduling import AdmissionQueue, FullError, Ticket

# How often a waiting request looks whether its client has left, and reassures it with a comment.
_WAIT_STEP_SECONDS = 1.0
_LONGEST_RETRY_SECONDS = 60
# Weight of the newest request in the running mean of durations, from which Retry-After is estimated.
_NEWEST_WEIGHT = 0.2
_NOT_READY_RETRY_SECONDS = 5


class Status(StrEnum):
    """What the server is doing; only READY takes requests."""

    LOADING = "loading"
    READY = "ready"
    DRAINING = "draining"
    FAILED = "failed"


class Waiting:
    """Said now and then by a request that waits for its turn."""


class Service:
    """Takes requests once the model is loaded, and until it is told to drain.

    Args:
        engine: what generates.
        model: the model's name in answers.
        queue_limit: requests that may wait.
        metrics: where to count.
        clock: seconds, monotonic.
    """

    def __init__(
        self,
        engine: Engine,
        model: str,
        queue_limit: int,
        metrics: Metrics,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.engine = engine
        self.model = model
        self.failure: str | None = None
        self._metrics = metrics
        self._clock = clock
        self._queue = AdmissionQueue(engine.concurrency, queue_limit)
        self._loaded = threading.Event()
        # When requests that are still here are cut off, by the clock; None while the server is not to end.
        self._cut_off_at: float | None = None
        self._mean_seconds = 1.0
        metrics.describe(model, engine.name)
        metrics.watch_queue(lambda: self._queue.running, lambda: self._queue.waiting)

    @property
    def status(self) -> Status:
        """What the server is doing now."""
        if self.failure is not None:
            return Status.FAILED
        if self._cut_off_at is not None:
            return Status.DRAINING
        return Status.READY if self._loaded.is_set() else Status.LOADING

    @property
    def running(self) -> int:
        """Requests that generate now."""
        return self._queue.running

    @property
    def waiting(self) -> int:
        """Requests that wait now."""
        return self._queue.waiting

    def load(self) -> None:
        """Loads the engine, which may take minutes.

        Raises:
            LoadError: it cannot be loaded; the status is FAILED then.
        """
        try:
            self.engine.load()
        except LoadError as error:
            self.failure = str(error)
            raise
        self._loaded.set()

    def drain(self, patience: float) -> None:
        """Takes no more requests. Safe in a signal handler: it takes no lock.

        Args:
            patience: seconds that those taken have to finish; then they end with an error that asks to come again.
        """
        self._cut_off_at = self._clock() + patience

    def submit(self, request: GenerationRequest) -> "Job":
        """Takes a request into the queue.

        Raises:
            NotReadyError: the server does not take requests now.
            InvalidRequestError: the request does not fit the model.
            QueueFullError: too many wait already.
        """
        arrival = self._clock()
        if self.status is not Status.READY:
            failed = f"the model could not be loaded: {self.failure}"
            message = failed if self.failure else f"the server is {self.status}"
            raise NotReadyError(message, retry_after=_NOT_READY_RETRY_SECONDS)
        generation = self.engine.prepare(request)
        try:
            ticket = self._queue.enter()
        except FullError:
            retry_after = self._retry_after()
            message = (
                f"as many requests as may ({self._queue.waiting}) wait already: try again in {retry_after} s"
            )
            raise QueueFullError(message, retry_after=retry_after) from None
        return Job(
            generation=generation,
            ticket=ticket,
            arrival=arrival,
            clock=self._clock,
            metrics=self._metrics,
            finished=self._finished,
            cut_off=self._cut_off,
        )

    def _cut_off(self) -> bool:
        return self._cut_off_at is not None and self._clock() >= self._cut_off_at

    def _finished(self, seconds: float) -> None:
        self._mean_seconds += _NEWEST_WEIGHT * (seconds - self._mean_seconds)

    def _retry_after(self) -> int:
        """Seconds until, at the pace of the last requests, half of those that wait now have begun."""
        seconds = self._mean_seconds * (self._queue.waiting + 1) / self._queue.slots / 2
        return max(1, min(_LONGEST_RETRY_SECONDS, math.ceil(seconds)))


class Job:
    """A request that was taken: waiting, then generating.

    Attributes:
        first_text_seconds: from arrival to the first text, once there is one.
    """

    def __init__(
        self,
        *,
        generation: Generation,
        ticket: Ticket,
        arrival: float,
        clock: Callable[[], float],
        metrics: Metrics,
        finished: Callable[[float], None],
        cut_off: Callable[[], bool],
    ) -> None:
        self.first_text_seconds: float | None = None
        self._generation = generation
        self._ticket = ticket
        self._arrival = arrival
        self._clock = clock
        self._metrics = metrics
        self._finished = finished
        self._cut_off = cut_off

    def elapsed(self) -> float:
        """Seconds since the request arrived."""
        return self._clock() - self._arrival

    def leave(self) -> None:
        """Gives the request's place away; `events` does it at its end."""
        self._ticket.leave()

    def events(self, abandoned: Abandoned) -> Iterator[Event | Waiting]:
        """Waits for the request's turn, then generates; closing the iterator cancels the request.

        Args:
            abandoned: whether the client has left; the iterator ends without a Finish then.

        Raises:
            ServingError: the engine failed, or the server has to end.
        """
        try:
            while not self._ticket.admitted.wait(_WAIT_STEP_SECONDS):
                if abandoned():
                    return
                if self._cut_off():
                    raise _shutting_down()
                yield Waiting()
            yield from self._generate(lambda: abandoned() or self._cut_off())
        finally:
            self._ticket.leave()

    def _generate(self, abandoned: Abandoned) -> Iterator[Event]:
        started = self._clock()
        counted = 0
        for event in self._generation.run(abandoned):
            match event:
                case Text():
                    # Counted as they come, so that the metric moves during an answer and knows of cut ones.
                    counted += 1
                    self._metrics.generated_tokens.inc()
                    self._metrics.recent.tokens(1)
                    if self.first_text_seconds is None:
                        self.first_text_seconds = self.elapsed()
                        self._metrics.time_to_first_token.observe(self.first_text_seconds)
                        self._metrics.recent.first_text(self.first_text_seconds)
                case Finish():
                    uncounted = max(0, event.completion_tokens - counted)
                    self._metrics.generated_tokens.inc(uncounted)
                    self._metrics.recent.tokens(uncounted)
                    self._metrics.prompt_tokens.inc(event.prompt_tokens)
                    self._metrics.request_duration.observe(self.elapsed())
                    # Before the last event is handed out: nobody has to ask for more after it.
                    self._finished(self._clock() - started)
                    yield event
                    return
            yield event
        if self._cut_off():
            raise _shutting_down()


def _shutting_down() -> NotReadyError:
    return NotReadyError(
        "the server is shutting down: send the request again", retry_after=_NOT_READY_RETRY_SECONDS
    )
