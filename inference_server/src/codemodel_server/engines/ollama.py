"""An engine that hands requests to an Ollama server: for developers who have one running."""

import math
import queue
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import httpx

from codemodel_server.cancellation import Cancellation
from codemodel_server.engines import ollama_words as words
from codemodel_server.engines.base import Activity, ModelFacts, not_supported
from codemodel_server.engines.events import Candidate, Event, Finish, Text, Waiting, nothing_to_do
from codemodel_server.engines.request import GenerationRequest, Message
from codemodel_server.engines.under_way import UnderWay
from codemodel_server.errors import InvalidRequestError, LoadError, ServingError, UpstreamError

# Ollama loads a model at the first request, which may take minutes; connecting must not.
_TIMEOUT = httpx.Timeout(300.0, connect=5.0)
# How often somebody who waits for Ollama is told that it goes on.
_REASSURE_SECONDS = 1.0


class OllamaGeneration:
    """See `OllamaEngine`."""

    prompt_tokens = 0

    def __init__(self, engine: "OllamaEngine", request: GenerationRequest) -> None:
        self.generated = 0
        self._engine = engine
        self._request = request
        self._body = words.body(request, engine.model, engine.context_length)

    def run(self, cancellation: Cancellation, ended: Callable[[], None] = nothing_to_do) -> Iterator[Event]:
        """Passes on what Ollama streams; leaving the stream makes Ollama stop.

        Raises:
            InvalidRequestError: Ollama cannot serve the request as it is.
            UpstreamError: Ollama is away, refuses, or ends in the middle.
        """
        stream = _Stream(self._engine.client, words.path(self._request), self._body)
        cancellation.subscribe(stream.close)
        with self._engine.under_way.entered(self):
            try:
                yield from self._pass_on(stream)
                ended()
            finally:
                stream.close()

    def _pass_on(self, stream: "_Stream") -> Iterator[Event]:
        request = self._request
        began, first = time.monotonic(), None
        until = began + _seconds(request.prefill_seconds)
        while True:
            left = until - time.monotonic()
            if left <= 0:
                yield Finish("length", 0, self.generated)
                return
            try:
                part = stream.parts.get(timeout=min(left, _REASSURE_SECONDS))
            except queue.Empty:
                yield Waiting()
                continue
            if part is None:
                return
            if isinstance(part, ServingError):
                raise part
            if (text := words.text(part)) and request.max_tokens != 0:
                if first is None:
                    first = time.monotonic()
                    until = first + _seconds(request.decode_seconds)
                self.generated += 1
                yield Text(text)
            if part.get("done"):
                yield words.finish(part, request)
                return


class _Stream:
    """An answer of Ollama, read on a thread of its own, so that it can be left while Ollama is silent.

    Attributes:
        parts: what came; an error if it ends early, None if it was closed.
    """

    def __init__(self, client: httpx.Client, path: str, body: dict[str, Any]) -> None:
        self.parts: queue.SimpleQueue[dict[str, Any] | ServingError | None] = queue.SimpleQueue()
        self._client = client
        self._path = path
        self._body = body
        self._lock = threading.Lock()
        self._socket: socket.socket | None = None
        self._closed = False
        threading.Thread(target=self._read, name="ollama", daemon=True).start()

    def close(self) -> None:
        """Ends it; again is harmless."""
        with self._lock:
            self._closed = True
            connection, self._socket = self._socket, None
        if connection is not None:
            _shut(connection)
        self.parts.put(None)

    def _read(self) -> None:
        try:
            self._receive()
        except ServingError as error:
            self._fail(error)
        except (httpx.HTTPError, OSError, RuntimeError) as error:
            self._fail(UpstreamError(_away(str(self._client.base_url), error)))

    def _fail(self, error: ServingError) -> None:
        with self._lock:
            # What the connection says when it is closed under the reader is no failure.
            if not self._closed:
                self.parts.put(error)

    def _receive(self) -> None:
        extensions = {"trace": self._trace}
        with self._client.stream("POST", self._path, json=self._body, extensions=extensions) as response:
            if response.is_error:
                raise _refusal(response, self._body["model"])
            for line in response.iter_lines():
                part = words.parse(line)
                self.parts.put(part)
                if part.get("done"):
                    return
        raise UpstreamError("Ollama ended its answer early: see its log")

    def _trace(self, event: str, info: dict[str, Any]) -> None:
        """Takes note of the connection: only shutting it down wakes a thread that reads from it."""
        if event not in {"connection.connect_tcp.complete", "connection.start_tls.complete"}:
            return
        connection = info["return_value"].get_extra_info("socket")
        with self._lock:
            self._socket = connection
            closed = self._closed
        if closed:
            _shut(connection)


class OllamaEngine:
    """Generates with a model of an Ollama server.

    Ollama applies its own chat template, and knows no grammar, no bias and no tokens by number.

    Args:
        url: where Ollama answers.
        model: the model's name there.
        context_length: tokens that prompt and answer may have together.
        parallel: requests handed over at a time.
        transport: how to reach it, if not by the network.
    """

    name = "ollama"
    reserved = 0

    def __init__(
        self,
        url: str,
        model: str,
        context_length: int,
        parallel: int,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self.context_length = context_length
        self.concurrency = parallel
        self.model = model
        # A connection for each request: it is closed when the client leaves.
        limits = httpx.Limits(max_connections=None, max_keepalive_connections=0)
        self.client = httpx.Client(base_url=url, timeout=_TIMEOUT, limits=limits, transport=transport)
        self.under_way = UnderWay()
        self._facts = ModelFacts()

    def load(self) -> None:
        """Checks that Ollama answers and has the model.

        Raises:
            LoadError: it does not, or has not.
        """
        try:
            response = self.client.post("/api/show", json={"model": self.model})
        except httpx.HTTPError as error:
            raise LoadError(_away(str(self.client.base_url), error)) from error
        if response.is_error:
            raise LoadError(_refusal(response, self.model).message)
        try:
            self._facts = words.facts(words.parse(response.text))
        except (UpstreamError, TypeError, ValueError) as error:
            raise LoadError(f"what answers at {self.client.base_url} is not Ollama: {error}") from error

    def prepare(self, request: GenerationRequest) -> OllamaGeneration:
        """Checks what Ollama can do; only Ollama can count the prompt's tokens.

        Raises:
            InvalidRequestError: it cannot do this.
        """
        return OllamaGeneration(self, request)

    def tokenize(self, text: str, *, add_special: bool, parse_special: bool) -> list[Candidate]:  # noqa: ARG002
        """Refused: Ollama does not tell."""
        raise not_supported(self.name, "to tokenize")

    def detokenize(self, tokens: Sequence[int]) -> str:  # noqa: ARG002
        """Refused: Ollama does not tell."""
        raise not_supported(self.name, "to detokenize")

    def apply_template(self, messages: Sequence[Message], *, answered: bool = True) -> str:  # noqa: ARG002
        """Refused: Ollama does not tell."""
        raise not_supported(self.name, "to apply the chat template")

    def facts(self) -> ModelFacts:
        """What Ollama says about the model."""
        return self._facts

    def activity(self) -> Activity:
        """The requests under way; what Ollama's memory holds is not known."""
        return Activity(self.under_way.slots())

    def close(self) -> None:
        """Closes the client."""
        self.client.close()


def _seconds(limit: float | None) -> float:
    return math.inf if limit is None else limit


def _shut(connection: socket.socket) -> None:
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        # Closed meanwhile.
        return


def _refusal(response: httpx.Response, model: str) -> ServingError:
    if response.status_code == httpx.codes.NOT_FOUND:
        message = f"Ollama does not have the model {model}: run `ollama pull {model}` or set OLLAMA_MODEL"
        return UpstreamError(message)
    said = response.read()[:200].decode(errors="replace")
    if response.status_code == httpx.codes.BAD_REQUEST:
        return InvalidRequestError(f"Ollama refuses the request: {said}")
    return UpstreamError(f"Ollama answered with status {response.status_code}: {said}")


def _away(url: str, error: Exception) -> str:
    return f"Ollama does not answer at {url} ({error}): start it with `ollama serve` or set OLLAMA_URL"
