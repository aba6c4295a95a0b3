"""Each setting as a flag and as an environment variable, and what is refused."""

from pathlib import Path
from typing import Any

import pytest

from codemodel_server.settings import parse_settings


def test_without_any_the_defaults_hold() -> None:
    settings = parse_settings([], {})
    assert (settings.host, settings.port, settings.management_port) == ("127.0.0.1", 8080, 8081)
    assert (settings.context_length, settings.parallel, settings.queue_limit) == (4096, 4, 64)
    assert (settings.request_seconds, settings.grace_seconds) == (600, 45)
    assert (settings.max_body_bytes, settings.mock_failure) == (1048576, 0)
    assert settings.api_keys is None


SETTINGS: list[tuple[str, str, str, Any]] = [
    ("--management-port", "MANAGEMENT_PORT", "0", 0),
    ("--request-seconds", "REQUEST_SECONDS", "2.5", 2.5),
    ("--grace-seconds", "GRACE_SECONDS", "0", 0),
    ("--max-body-bytes", "MAX_BODY_BYTES", "2048", 2048),
    ("--api-keys", "API_KEYS", "/run/keys", Path("/run/keys")),
    ("--mock-failure", "MOCK_FAILURE", "0.25", 0.25),
    ("--parallel", "PARALLEL", "8", 8),
]


@pytest.mark.parametrize(("flag", "variable", "text", "value"), SETTINGS)
def test_a_setting_is_a_flag_and_a_variable(flag: str, variable: str, text: str, value: Any) -> None:
    field = flag.removeprefix("--").replace("-", "_")
    assert getattr(parse_settings([flag, text], {}), field) == value
    assert getattr(parse_settings([], {variable: text}), field) == value


def test_the_flag_wins_and_an_empty_variable_is_not_set() -> None:
    assert parse_settings(["--parallel", "2"], {"PARALLEL": "3"}).parallel == 2
    assert parse_settings([], {"PARALLEL": "", "API_KEYS": ""}) == parse_settings([], {})


@pytest.mark.parametrize(
    ("flag", "text", "allowed"),
    [
        ("--management-port", "65536", "from 0 to 65535"),
        ("--request-seconds", "-1", "from 0 to 86400"),
        ("--grace-seconds", "soon", "from 0 to 86400"),
        ("--max-body-bytes", "1e6", "from 1024 to"),
        ("--mock-failure", "1.5", "from 0 to 1"),
        ("--mock-failure", "nan", "from 0 to 1"),
        ("--parallel", "65", "from 1 to 64"),
    ],
)
def test_what_is_out_of_bounds_is_refused_with_the_bounds(
    flag: str, text: str, allowed: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        parse_settings([flag, text], {})
    assert caught.value.code == 2
    said = capsys.readouterr().err
    assert f"{flag}: {text!r}" in said
    assert allowed in said
