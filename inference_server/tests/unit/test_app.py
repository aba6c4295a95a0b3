"""What goes wrong inside is answered as JSON and logged; what a client did wrong is not an error of the server."""

import json
import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask.testing import FlaskClient

from codemodel_server.app import create_app
from codemodel_server.cancellation import Cancellation
from codemodel_server.engines.events import Event, Text
from codemodel_server.engines.mock import MockEngine
from codemodel_server.engines.request import GenerationRequest
from codemodel_server.errors import EngineFailedError
from codemodel_server.metrics import Metrics
from codemodel_server.service import Service
from codemodel_server.settings import parse_settings


class FailingGeneration:
    """Fails, at once or after the first text."""

    prompt_tokens = 1

    def __init__(self, error: Exception, text: str) -> None:
        self._error = error
        self._text = text

    def run(self, cancellation: Cancellation, ended: Callable[[], None]) -> Iterator[Event]:
        if self._text:
            yield Text(self._text)
        raise self._error


class FailingEngine(MockEngine):
    """Takes requests and fails at them."""

    def __init__(self, error: Exception, text: str = "") -> None:
        super().__init__(512, 1, 0)
        self._error = error
        self._text = text

    def prepare(self, request: GenerationRequest) -> FailingGeneration:  # type: ignore[override]
        return FailingGeneration(self._error, self._text)


def client(engine: MockEngine) -> FlaskClient:
    collected = Metrics()
    service = Service(engine, "m", 1, collected)
    service.open()
    return create_app(service, collected, parse_settings([], {})).test_client()


@pytest.mark.parametrize(
    ("error", "stream", "status", "message"),
    [
        (EngineFailedError("out of cells"), False, 500, "out of cells"),
        (EngineFailedError("out of cells"), True, 500, "out of cells"),
        (RuntimeError("private"), False, 500, "internal error"),
    ],
)
def test_failures_are_answered_and_logged(
    caplog: pytest.LogCaptureFixture, error: Exception, stream: bool, status: int, message: str
) -> None:
    http = client(FailingEngine(error))
    answer = http.post("/chat", json={"prompt": "x", "stream": stream})
    assert answer.status_code == status
    assert message in answer.text
    assert "private" not in answer.text
    assert str(error) in caplog.text
    assert {record.name for record in caplog.records} == {"gunicorn.error"}
    assert "codemodel_requests_running 0.0" in http.get("/metrics").text


@pytest.mark.parametrize(
    ("path", "body", "form"),
    [
        ("/chat", {"prompt": "x"}, {"type": "engine_failed", "field": None}),
        (
            "/v1/chat/completions",
            {"messages": [{"role": "user", "content": "x"}]},
            {"type": "server_error", "param": None, "code": "engine_failed"},
        ),
        (
            "/v1/completions",
            {"prompt": "x"},
            {"type": "server_error", "param": None, "code": "engine_failed"},
        ),
        ("/completion", {"prompt": "x"}, {"type": "server_error", "code": 500}),
        ("/infill", {"input_prefix": "x", "input_suffix": ""}, {"type": "server_error", "code": 500}),
        (
            "/fim/completions",
            {"prompt": "x"},
            {"type": "server_error", "param": None, "code": "engine_failed"},
        ),
    ],
)
def test_a_stream_that_fails_ends_with_an_error_in_its_own_form(
    path: str, body: dict[str, Any], form: dict[str, Any]
) -> None:
    http = client(FailingEngine(EngineFailedError("out of cells"), "begun"))
    answer = http.post(path, json={**body, "stream": True})
    assert answer.status_code == 200
    *first, last = [line for line in answer.text.splitlines() if line]
    assert any("begun" in line for line in first)
    assert json.loads(last.removeprefix("data: ")) == {"error": {"message": "out of cells", **form}}
    assert "codemodel_requests_running 0.0" in http.get("/metrics").text


def test_refusals_are_not_logged_as_failures(caplog: pytest.LogCaptureFixture) -> None:
    http = client(MockEngine(512, 1, 0))
    assert http.post("/chat", json={"prompt": 1}).status_code == 400
    assert http.get("/nowhere").status_code == 404
    assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []
