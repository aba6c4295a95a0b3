"""One engine behind one queue: everything about serving that is not HTTP."""

import math
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from enum import StrEnum

from codemodel_server.cancellation import Cancellation
from codemodel_server.engines.base import Activity, Engine
from codemodel_server.engines.events import Event, Finish, Generation, Text, Waiting
from codemodel_server.engines.request import GenerationRequest
from codemodel_server.errors import (
    DeadlineError,
    InvalidRequestError,
    NotReadyError,
    QueueFullError,
    ServingError,
)
from codemodel_server.metrics import Metrics
from codemodel_server.scheduling import AdmissionQueue, FullError, Ticket

# How often a waiting request is reassured with a comment.
_WAIT_STEP_SECONDS = 1.0
# How often requests are looked at that are past their time.
_WATCH_SECONDS = 0.25
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


class Service:
    """Takes requests once the model is loaded, and until it is told to drain.

    Args:
        engine: what generates.
        model: the model's name in answers.
        queue_limit: requests that may wait.
        metrics: where to count.
        patience: seconds that a request may take, waiting included; 0 is without limit.
        clock: seconds, monotonic.
    """

    def __init__(
        self,
        engine: Engine,
        model: str,
        queue_limit: int,
        metrics: Metrics,
        patience: float = 0.0,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.engine = engine
        self.model = model
        self.failure: str | None = None
        self._metrics = metrics
        self._clock = clock
        self._patience = patience or math.inf
        self._queue = AdmissionQueue(engine.concurrency, queue_limit, engine.reserved, clock)
        self._loaded = threading.Event()
        # When requests that are still here are cut off, by the clock.
        self._cut_off_at = math.inf
        self._draining = False
        self._jobs: set[Job] = set()
        self._mean_seconds = 1.0
        metrics.describe(model, engine.name)
        metrics.watch(lambda: self.running, lambda: self.waiting, self.activity)

    @property
    def status(self) -> Status:
        """What the server is doing now."""
        if self.failure is not None:
            return Status.FAILED
        if self._draining:
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

    def activity(self) -> Activity:
        """What the engine does now; nothing before it is loaded."""
        return self.engine.activity() if self._loaded.is_set() else Activity()

    def fail(self, reason: str) -> None:
        """Says that the engine cannot be loaded, and why; no request will ever be taken."""
        self.failure = reason

    def open(self) -> None:
        """Takes requests from now on: the engine is loaded."""
        threading.Thread(target=self._watch, name="deadlines", daemon=True).start()
        self._loaded.set()

    def drain(self, patience: float) -> None:
        """Takes no more requests. Safe in a signal handler: it takes no lock.

        Args:
            patience: seconds that those taken have to finish; then they end with an error that asks to come again.
        """
        self._cut_off_at = self._clock() + patience
        self._draining = True

    def check_ready(self) -> None:
        """Whether the engine may be asked.

        Raises:
            NotReadyError: the server does not take requests now.
        """
        if self.status is not Status.READY:
            failed = f"the model could not be loaded: {self.failure}"
            message = failed if self.failure else f"the server is {self.status}"
            raise NotReadyError(message, retry_after=_NOT_READY_RETRY_SECONDS)

    def submit(self, request: GenerationRequest) -> "Job":
        """Takes a request into the queue; the errors are those of `submit_all`."""
        return self.submit_all([request])[0]

    def submit_all(self, requests: Sequence[GenerationRequest]) -> list["Job"]:
        """Takes requests into the queue, all of them or none.

        Raises:
            NotReadyError: the server does not take requests now.
            InvalidRequestError: a request does not fit the model, or they are more than there may ever be.
            QueueFullError: too many wait already.
        """
        arrival = self._clock()
        self.check_ready()
        priorities = [request.priority for request in requests]
        most = min(map(self._queue.capacity, priorities))
        if len(requests) > most:
            raise InvalidRequestError(
                f"{len(requests)} answers at a time are too many: this server takes {most}"
            )
        try:
            # Before the prompts are tokenized: a refusal has to be cheap.
            self._queue.check(priorities)
            generations = [self.engine.prepare(request) for request in requests]
            tickets = self._queue.enter(priorities)
        except FullError:
            self._metrics.queue_refusals.inc(len(requests))
            raise self._full() from None
        jobs = [
            Job(self, generation, ticket, arrival, self._metrics)
            for generation, ticket in zip(generations, tickets, strict=True)
        ]
        self._jobs.update(jobs)
        return jobs

    def retry_after(self) -> int:
        """Seconds until, at the pace of the last requests, half of those that wait now have begun."""
        seconds = self._mean_seconds * (self._queue.waiting + 1) / self._queue.slots / 2
        return max(1, min(_LONGEST_RETRY_SECONDS, math.ceil(seconds)))

    def expire(self) -> None:
        """Cancels the requests that are past their time."""
        now = self._clock()
        for job in tuple(self._jobs):
            if now >= self._cut_off_at or now - job.arrival >= self._patience:
                job.cancellation.cancel()

    def why_ended(self, job: "Job") -> NotReadyError | DeadlineError | None:
        """Why a cancelled request ended, or None if its client has left."""
        if self._clock() >= self._cut_off_at:
            message = "the server is shutting down: send the request again"
            return NotReadyError(message, retry_after=_NOT_READY_RETRY_SECONDS)
        if job.elapsed() >= self._patience:
            message = (
                f"the request took longer than {self._patience:g} s: ask for fewer tokens, or try again later"
            )
            return DeadlineError(message, retry_after=self.retry_after())
        return None

    def finished(self, job: "Job", generating_seconds: float | None) -> None:
        """Called by a job at its end, with the time it generated if it came to its end."""
        self._jobs.discard(job)
        if generating_seconds is not None:
            self._mean_seconds += _NEWEST_WEIGHT * (generating_seconds - self._mean_seconds)

    def now(self) -> float:
        """Seconds, monotonic."""
        return self._clock()

    def _watch(self) -> None:
        while True:
            time.sleep(_WATCH_SECONDS)
            self.expire()

    def _full(self) -> QueueFullError:
        retry_after = self.retry_after()
        waiting = self._queue.waiting
        message = f"as many requests as may ({waiting}) wait already: try again in {retry_after} s"
        return QueueFullError(message, retry_after=retry_after)


class Job:
    """A request that was taken: waiting, then generating.

    Args:
        service: whose queue it is in.
        generation: what the engine makes of it.
        ticket: its place in the queue.
        arrival: when it came, by the service's clock.
        metrics: where to count.

    Attributes:
        cancellation: to be cancelled when the client has left.
        first_text_seconds: from arrival to the first text, once there is one.
        prompt_tokens: tokens of the prompt; 0 if they are known at the end only.
    """

    def __init__(
        self, service: Service, generation: Generation, ticket: Ticket, arrival: float, metrics: Metrics
    ) -> None:
        self.cancellation = Cancellation()
        self.first_text_seconds: float | None = None
        self.prompt_tokens = generation.prompt_tokens
        self.arrival = arrival
        self._service = service
        self._generation = generation
        self._ticket = ticket
        self._metrics = metrics
        self._complete = False
        self._left = False
        self.cancellation.subscribe(ticket.changed.set)
        # A client that is slow to take its answer does not keep others from theirs.
        self.cancellation.subscribe(ticket.leave)

    def elapsed(self) -> float:
        """Seconds since the request arrived."""
        return self._service.now() - self.arrival

    def leave(self) -> None:
        """Gives the request's place away; `events` does it at its end."""
        self._leave("cancelled")

    def events(self) -> Iterator[Event]:
        """Waits for the request's turn, then generates; closing the iterator cancels the request.

        If the client has left, the iterator ends without a Finish.

        Raises:
            ServingError: the engine failed, the server has to end, or the request took too long.
        """
        end = "cancelled"
        try:
            while not self._ticket.admitted:
                if not self._ticket.changed.wait(_WAIT_STEP_SECONDS):
                    yield Waiting()
                if self.cancellation.cancelled:
                    break
            else:
                yield from self._generate()
            if not self._complete and (error := self._service.why_ended(self)) is not None:
                end = "deadline" if isinstance(error, DeadlineError) else "shutdown"
                raise error
        except ServingError:
            end = end if end != "cancelled" else "failed"
            raise
        finally:
            self._leave(end)

    def _leave(self, end: str) -> None:
        self._ticket.leave()
        self._service.finished(self, None)
        if not self._complete and not self._left:
            self._metrics.ended(end)
        self._left = True

    def _generate(self) -> Iterator[Event]:
        started = self._service.now()
        meter = self._metrics.meter()
        for event in self._generation.run(self.cancellation, self._ticket.leave):
            match event:
                case Text(text=text, tokens=tokens):
                    meter.text(len(tokens) or 1, self._service.now())
                    if text and self.first_text_seconds is None:
                        self.first_text_seconds = self.elapsed()
                        self._metrics.first_text(self.first_text_seconds)
                case Finish():
                    meter.finish(event)
                    self._metrics.request_duration.observe(self.elapsed())
                    self._complete = True
                    # Before the last event is handed out: nobody has to ask for more after it.
                    self._service.finished(self, self._service.now() - started)
            yield event
