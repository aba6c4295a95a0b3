"""The process: command line, handlers, logs, packaging."""

import json
import logging
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path

import kopf
import pytest

from codemodel_operator import logs
from codemodel_operator.__main__ import parse
from codemodel_operator.handlers import build_registry, configure
from codemodel_operator.settings import Settings

ROOT = Path(__file__).parents[3]


def test_defaults() -> None:
    assert parse([], {}) == Settings()


def test_flags_win_over_the_environment() -> None:
    environment = {"NAMESPACES": "a, b", "SERVER_IMAGE": "env:1", "WORKERS": "2", "LOG_FORMAT": "text"}
    assert parse([], environment) == Settings(("a", "b"), "env:1", 2, "text")
    flags = ["--namespace=c", "--namespace=d", "--server-image=flag:1", "--workers=3", "--log-format=json"]
    assert parse(flags, environment) == Settings(("c", "d"), "flag:1", 3, "json")


@pytest.mark.parametrize("environment", [{"WORKERS": "many"}, {"LOG_FORMAT": "xml"}, {"LIVENESS_PORT": "0"}])
def test_a_wrong_setting_is_named(environment: dict[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parse([], environment)
    assert next(iter(environment.values())) in capsys.readouterr().err


def test_no_handler_of_kopf_writes_to_resources() -> None:
    """Handlers of creation, change or deletion, timers and daemons leave annotations or finalizers behind."""
    registry = build_registry(Settings())
    assert not registry._changing._handlers
    assert not registry._spawning._handlers
    assert len(registry._watching._handlers) == 8


def test_watches_end_and_only_our_children_are_watched() -> None:
    settings = kopf.OperatorSettings()
    configure(settings, clusterwide=False)
    assert not settings.posting.enabled
    assert settings.watching.server_timeout
    assert settings.watching.client_timeout
    assert set(settings.watching.label_selectors.values()) == {"codemodel.dev/name"}
    assert settings.scanning.disabled


def test_kopf_never_gives_a_request_up() -> None:
    """Its own attempts last less than a minute, and the operator would end with them."""
    settings = kopf.OperatorSettings()
    configure(settings, clusterwide=False)
    backoffs = settings.networking.error_backoffs
    assert isinstance(backoffs, Iterable)
    for _ in range(2):  # each request begins anew
        assert len(list(islice(backoffs, 100))) == 100


@pytest.fixture
def record() -> Iterator[logging.LogRecord]:
    token = logs.current_key.set(("models", "coder"))
    yield logging.getLogger("test").makeRecord(
        "test",
        logging.INFO,
        "file",
        1,
        "Ready is %s",
        ("False",),
        None,
        extra={"event": {"reason": "NoSpace"}},
    )
    logs.current_key.reset(token)


def test_a_log_record_is_one_line_of_json(record: logging.LogRecord) -> None:
    record.msg = "Ready\nis %s"
    line = logs.JsonFormatter().format(record)
    assert "\n" not in line
    fields = json.loads(line)
    assert (fields["namespace"], fields["name"], fields["reason"]) == ("models", "coder", "NoSpace")


def test_a_log_record_as_text(record: logging.LogRecord) -> None:
    line = logs.TextFormatter().format(record)
    assert "INFO    Ready is False namespace=models name=coder reason=NoSpace" in line


def test_nothing_shadows_the_standard_module_operator() -> None:
    assert not (ROOT / "operator" / "__init__.py").exists()
    assert not (ROOT / "operator.py").exists()
