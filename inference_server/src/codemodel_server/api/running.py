"""Runs what a request asks for: whole answers, and streams of server-sent events."""

import json
import queue
import threading
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from itertools import chain
from typing import Any

from flask import Response, request

from codemodel_server.api.errors import ClientLeftError, log_failure
from codemodel_server.api.surfaces import error_body, problem_of
from codemodel_server.cancellation import Cancellation
from codemodel_server.client import watch
from codemodel_server.engines.events import Event, Finish, Text, Token
from codemodel_server.engines.request import GenerationRequest
from codemodel_server.errors import EngineFailedError, ServingError
from codemodel_server.service import Job, Service

WAITING = ": waiting\n\n"
"""The comment that reassures whoever waits, and every proxy between."""
DONE = "data: [DONE]\n\n"
"""The last event of OpenAI's streams."""
_STREAM_HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
Numbered = tuple[int, Event]
Render = Callable[["Running"], Iterator[str]]


class Answer:
    """A whole answer.

    Attributes:
        job: the job that it is of.
        text: its text.
        tokens: those generated.
        finish: its end.
    """

    def __init__(self, job: Job, text: str, tokens: Sequence[Token], finish: Finish) -> None:
        self.job = job
        self.text = text
        self.tokens = tokens
        self.finish = finish


class Running:
    """The jobs of one HTTP request, all cancelled when its client leaves. To be closed, on the request's thread.

    Args:
        service: takes the jobs.
        requests: what is asked for, one a job.

    Attributes:
        jobs: in the requests' order.
        events: what comes of them as (number of the job, event); it ends early if the client leaves, and raises
            ServingError where an engine fails.

    Raises:
        ServingError: the service refuses.
    """

    def __init__(self, service: Service, requests: Sequence[GenerationRequest]) -> None:
        self.jobs = service.submit_all(requests)
        departure = Cancellation()
        for job in self.jobs:
            departure.subscribe(job.cancellation.cancel)
        self._unwatch = watch(request.environ, departure)
        self._generator = _one(self.jobs[0]) if len(self.jobs) == 1 else _merged(self.jobs)
        self.events: Iterator[Numbered] = self._generator

    def begin(self) -> None:
        """Waits for the first event, so that an error until then still becomes the answer's status.

        Raises:
            ClientLeftError: the client has left.
            ServingError: the engine failed.
        """
        first = next(self._generator, None)
        if first is None:
            raise ClientLeftError
        self.events = chain([first], self._generator)

    def close(self) -> None:
        """Ends what still runs; again is harmless."""
        self._unwatch()
        self._generator.close()
        for job in self.jobs:
            job.leave()


def whole(service: Service, requests: Sequence[GenerationRequest]) -> list[Answer]:
    """The answers, once all are complete.

    Raises:
        ClientLeftError: the client has left.
        ServingError: the service refuses, or an engine failed.
    """
    with closing(Running(service, requests)) as running:
        texts: list[list[str]] = [[] for _ in requests]
        tokens: list[list[Token]] = [[] for _ in requests]
        ends: dict[int, Finish] = {}
        for number, event in running.events:
            match event:
                case Text():
                    texts[number].append(event.text)
                    tokens[number].extend(event.tokens)
                case Finish():
                    ends[number] = event
        if len(ends) < len(requests):
            raise ClientLeftError
        return [
            Answer(job, "".join(texts[number]), tokens[number], ends[number])
            for number, job in enumerate(running.jobs)
        ]


def stream(service: Service, requests: Sequence[GenerationRequest], render: Render) -> Response:
    """The answers as server-sent events.

    Args:
        service: takes the jobs.
        requests: what is asked for.
        render: from the events to what is sent; an error ends it, and is sent in the form of the request's path.

    Raises:
        ClientLeftError: the client has left before the first event.
        ServingError: the service refuses, or an engine failed before the first event.
    """
    running = Running(service, requests)
    try:
        running.begin()
    except BaseException:
        running.close()
        raise
    frames = _frames(running, render, request.path)
    response = Response(frames, mimetype="text/event-stream", headers=_STREAM_HEADERS)
    # A client that leaves before the first byte never starts the iterator, whose end frees the place.
    response.call_on_close(running.close)
    return response


def event_of(data: dict[str, Any]) -> str:
    """A server-sent event."""
    return f"data: {json.dumps(data, ensure_ascii=False)}\n\n"


def _frames(running: Running, render: Render, path: str) -> Iterator[str]:
    """What is sent. The status is sent already, so errors are events too."""
    try:
        yield from render(running)
    except ServingError as error:
        log_failure(error)
        yield event_of(error_body(path, problem_of(error)))
    except Exception:
        yield event_of(error_body(path, problem_of(EngineFailedError("internal error"))))
        raise
    finally:
        running.close()


def _one(job: Job) -> Generator[Numbered, None, None]:
    events = job.events()
    try:
        for event in events:
            yield 0, event
    finally:
        job.cancellation.cancel()


def _merged(jobs: Sequence[Job]) -> Generator[Numbered, None, None]:
    """The events of several jobs as they come. Each has a thread: a job generates where its events are asked for."""
    inbox: queue.SimpleQueue[tuple[int, Event | Exception | None]] = queue.SimpleQueue()

    def run(number: int, job: Job) -> None:
        try:
            for event in job.events():
                inbox.put((number, event))
            inbox.put((number, None))
        except Exception as error:
            inbox.put((number, error))

    try:
        for number, job in enumerate(jobs):
            threading.Thread(target=run, args=(number, job), name="choice", daemon=True).start()
        running = len(jobs)
        while running:
            number, item = inbox.get()
            if item is None:
                running -= 1
            elif isinstance(item, Exception):
                raise item
            else:
                yield number, item
    finally:
        for job in jobs:
            job.cancellation.cancel()
