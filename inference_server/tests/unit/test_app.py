"""What goes wrong inside is answered as JSON and logged; what a client did wrong is not an error of the server."""

import logging
from collections.abc import Iterator

import pytest
from flask.testing import FlaskClient

from codemodel_server.app import create_app
from codemodel_server.engines.base import Abandoned, Event, GenerationRequest
from codemodel_server.engines.mock import MockEngine, MockGeneration
from codemodel_server.errors import EngineFailedError
from codemodel_server.metrics import Metrics
from codemodel_server.service import Service
from codemodel_server.settings import parse_settings


class FailingGeneration(MockGeneration):
    """Fails at once."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    def run(self, abandoned: Abandoned) -> Iterator[Event]:
        raise self._error


class FailingEngine(MockEngine):
    """Takes requests and fails at them."""

    def __init__(self, error: Exception) -> None:
        super().__init__(512, 1, 0)
        self._error = error

    def prepare(self, request: GenerationRequest) -> FailingGeneration:
        return FailingGeneration(self._error)


def client(engine: MockEngine) -> FlaskClient:
    collected = Metrics()
    service = Service(engine, "m", 1, collected)
    service.load()
    return create_app(service, collected, parse_settings([], {})).test_client()


@pytest.mark.parametrize(
    ("error", "stream", "status", "message"),
    [
        (EngineFailedError("out of cells"), False, 500, "out of cells"),
        (EngineFailedError("out of cells"), True, 200, "out of cells"),
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


def test_refusals_are_not_logged_as_failures(caplog: pytest.LogCaptureFixture) -> None:
    http = client(MockEngine(512, 1, 0))
    assert http.post("/chat", json={"prompt": 1}).status_code == 400
    assert http.get("/nowhere").status_code == 404
    assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []
