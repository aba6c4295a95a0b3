"""Which engine is chosen."""

from collections.abc import Mapping

import pytest

from codemodel_server.engines import selection
from codemodel_server.engines.selection import build_engine, choose_engine, model_name
from codemodel_server.settings import Settings, parse_settings


def settings(*arguments: str, **environment: str) -> Settings:
    return parse_settings(arguments, environment)


@pytest.mark.parametrize(
    ("environment", "ollama_answers", "engine"),
    [
        ({"MODEL_PATH": "/models/m.gguf", "OLLAMA_URL": "http://host"}, True, "llama-cpp"),
        ({"OLLAMA_URL": "http://host"}, False, "ollama"),
        ({}, True, "ollama"),
        ({}, False, "mock"),
        ({"ENGINE": "mock", "MODEL_PATH": "/models/m.gguf"}, True, "mock"),
    ],
)
def test_auto_takes_the_first_that_there_is_something_for(
    monkeypatch: pytest.MonkeyPatch, environment: Mapping[str, str], ollama_answers: bool, engine: str
) -> None:
    monkeypatch.setattr(selection, "_answers", lambda _url: ollama_answers)
    assert choose_engine(settings(**environment)) == engine


def test_flags_win_over_the_environment_and_empty_counts_as_unset() -> None:
    chosen = settings("--port", "1", PORT="2", PARALLEL="", CONTEXT_LENGTH="512")
    assert (chosen.port, chosen.parallel, chosen.context_length) == (1, 4, 512)


def test_the_model_is_named_after_its_file_unless_told() -> None:
    assert model_name(settings(MODEL_PATH="/models/coder.Q4.gguf"), "llama-cpp") == "coder.Q4"
    assert model_name(settings(OLLAMA_MODEL="x:7b"), "ollama") == "x:7b"
    assert model_name(settings(MODEL_NAME="mine"), "mock") == "mine"


def test_mock_and_ollama_work_on_as_many_as_asked() -> None:
    assert build_engine(settings(ENGINE="mock", PARALLEL="3")).concurrency == 3
    assert build_engine(settings(ENGINE="ollama", PARALLEL="2")).concurrency == 2
