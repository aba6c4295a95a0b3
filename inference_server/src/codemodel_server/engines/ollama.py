"""An engine that hands requests to an Ollama server: for developers who have one running."""

import json
from collections.abc import Iterator
from typing import Any

import httpx

from codemodel_server.engines.base import Abandoned, Event, Finish, FinishReason, GenerationRequest, Text
from codemodel_server.errors import LoadError, UpstreamError

# Ollama loads a model at the first request, which may take minutes; connecting must not.
_TIMEOUT = httpx.Timeout(300.0, connect=5.0)


class OllamaGeneration:
    """See `OllamaEngine`."""

    def __init__(
        self, client: httpx.Client, model: str, context_length: int, request: GenerationRequest
    ) -> None:
        self._client = client
        self._path = "/api/chat" if request.messages else "/api/generate"
        self._body = {
            "model": model,
            **_reading(request),
            "stream": True,
            "options": _options(request, context_length),
        }

    def run(self, abandoned: Abandoned) -> Iterator[Event]:
        """Passes on what Ollama streams; leaving the stream makes Ollama stop.

        Raises:
            UpstreamError: Ollama is away, refuses, or ends in the middle.
        """
        try:
            with self._client.stream("POST", self._path, json=self._body) as response:
                if response.is_error:
                    raise UpstreamError(_explain(response, self._body["model"]))
                for line in response.iter_lines():
                    if abandoned():
                        return
                    part = _parse(line)
                    if text := _text(part):
                        yield Text(text)
                    if part.get("done"):
                        yield _finish(part)
                        return
        except httpx.HTTPError as error:
            raise UpstreamError(_away(str(self._client.base_url), error)) from error
        raise UpstreamError("Ollama ended its answer early: see its log")


class OllamaEngine:
    """Generates with a model of an Ollama server.

    Args:
        url: where Ollama answers.
        model: the model's name there.
        context_length: tokens that prompt and answer may have together; Ollama cuts longer prompts.
        parallel: requests handed over at a time.
        transport: how to reach it, if not by the network.
    """

    name = "ollama"

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
        self._model = model
        self._client = httpx.Client(base_url=url, timeout=_TIMEOUT, transport=transport)

    def load(self) -> None:
        """Checks that Ollama answers and has the model.

        Raises:
            LoadError: it does not, or has not.
        """
        try:
            response = self._client.post("/api/show", json={"model": self._model})
        except httpx.HTTPError as error:
            raise LoadError(_away(str(self._client.base_url), error)) from error
        if response.is_error:
            raise LoadError(_explain(response, self._model))

    def prepare(self, request: GenerationRequest) -> OllamaGeneration:
        """Checks nothing: only Ollama can count the prompt's tokens."""
        return OllamaGeneration(self._client, self._model, self.context_length, request)


def _reading(request: GenerationRequest) -> dict[str, Any]:
    if request.messages:
        return {"messages": [{"role": turn.role, "content": turn.content} for turn in request.messages]}
    suffix = {} if request.suffix is None else {"suffix": request.suffix}
    return {"prompt": request.prompt, **suffix}


def _text(part: dict[str, Any]) -> str:
    """The text of a part: /api/generate calls it response, /api/chat message."""
    message = part.get("message")
    return str(message.get("content") or "") if isinstance(message, dict) else str(part.get("response") or "")


def _options(request: GenerationRequest, context_length: int) -> dict[str, Any]:
    options: dict[str, Any] = {
        "num_ctx": context_length,
        "num_predict": request.max_tokens,
        "temperature": request.temperature,
        "top_p": request.top_p,
        "top_k": request.top_k,
        "stop": list(request.stop),
    }
    return options if request.seed is None else {**options, "seed": request.seed}


def _parse(line: str) -> dict[str, Any]:
    try:
        part = json.loads(line)
    except ValueError as error:
        raise UpstreamError(f"Ollama sent what is not JSON: {line[:80]!r}") from error
    if not isinstance(part, dict):
        raise UpstreamError(f"Ollama sent no JSON object: {line[:80]!r}")
    if "error" in part:
        raise UpstreamError(f"Ollama failed: {part['error']}")
    return part


def _finish(part: dict[str, Any]) -> Finish:
    reason: FinishReason = "length" if part.get("done_reason") == "length" else "stop"
    return Finish(reason, int(part.get("prompt_eval_count", 0)), int(part.get("eval_count", 0)))


def _explain(response: httpx.Response, model: Any) -> str:
    if response.status_code == httpx.codes.NOT_FOUND:
        return f"Ollama does not have the model {model}: run `ollama pull {model}` or set OLLAMA_MODEL"
    return f"Ollama answered with status {response.status_code}: {response.read()[:200].decode(errors='replace')}"


def _away(url: str, error: httpx.HTTPError) -> str:
    return f"Ollama does not answer at {url} ({error}): start it with `ollama serve` or set OLLAMA_URL"
