"""API keys: who is let in, and that a change of the files is noticed."""

from pathlib import Path

import pytest

from codemodel_server.auth import ApiKeys, key_of
from inference_server.tests.api.conftest import make_app


class Clock:
    """Moves when it is told to."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_keys_of_a_folder_are_read_again_when_they_change(tmp_path: Path) -> None:
    (tmp_path / "team").write_text("one\n\n  two  \n")
    (tmp_path / ".hidden").write_text("three\n")
    clock = Clock()
    keys = ApiKeys(tmp_path, clock)
    assert [key for key in ("one", "two", "three", "") if keys.knows(key)] == ["one", "two"]
    (tmp_path / "team").write_text("four\n")
    (tmp_path / "more").write_text("five")
    assert keys.knows("one"), "looked again within a second"
    clock.now = 1
    assert [key for key in ("one", "four", "five") if keys.knows(key)] == ["four", "five"]


def test_a_key_may_have_any_character(tmp_path: Path) -> None:
    (tmp_path / "keys").write_text("clé\nother\n", encoding="utf-8-sig")
    keys = ApiKeys(tmp_path / "keys", Clock())
    # As a header's UTF-8 is handed on, and as its Latin-1 is.
    assert keys.knows("clé".encode().decode("latin-1"))
    assert keys.knows("clé")
    assert keys.knows("other")
    assert not keys.knows("cl?")
    assert not keys.knows("cl\udce9")


def test_without_a_key_in_the_file_nobody_is_let_in(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    clock = Clock()
    keys = ApiKeys(tmp_path / "missing", clock)
    assert not keys.knows("")
    assert "everybody is refused" in caplog.text
    (tmp_path / "missing").write_text("\n")
    clock.now = 1
    assert not keys.knows("")
    (tmp_path / "missing").write_bytes(b"\xff")
    clock.now = 2
    assert not keys.knows("\udcff")
    (tmp_path / "missing").write_text("one")
    clock.now = 3
    assert keys.knows("one")
    (tmp_path / "missing").unlink()
    clock.now = 4
    assert not keys.knows("one")


@pytest.mark.parametrize(
    ("authorization", "x_api_key", "key"),
    [
        ("Bearer k", None, "k"),
        ("bearer  k ", None, "k"),
        (None, "k", "k"),
        ("Bearer k", "other", "k"),
        ("Basic abc", "k", "k"),
        ("Bearer", None, None),
        (None, None, None),
        ("", "", None),
    ],
)
def test_a_key_comes_in_either_header(
    authorization: str | None, x_api_key: str | None, key: str | None
) -> None:
    assert key_of(authorization, x_api_key) == key


def test_with_keys_only_probes_and_the_page_are_open(tmp_path: Path) -> None:
    file = tmp_path / "keys"
    file.write_text("secret\n")
    client = make_app("--api-keys", str(file)).test_client()
    for path in ("/health", "/ready", "/metrics", "/live"):
        assert client.get(path).status_code == 200, path
    assert client.get("/").status_code != 401
    forms = {
        "/info": ("unauthorized", "type"),
        "/chat": ("unauthorized", "type"),
        "/v1/models": ("invalid_api_key", "code"),
        "/v1/nowhere": ("invalid_api_key", "code"),
        "/props": ("authentication_error", "type"),
        "/nowhere": ("unauthorized", "type"),
    }
    for path, (kind, field) in forms.items():
        answer = client.get(path)
        assert answer.status_code == 401, path
        assert answer.headers["WWW-Authenticate"] == "Bearer"
        assert answer.get_json()["error"][field] == kind
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
    for headers in ({"Authorization": "Bearer secret"}, {"X-Api-Key": "secret"}):
        assert client.get("/v1/models", headers=headers).status_code == 200
    for headers in ({"Authorization": "Bearer Secret"}, {"X-Api-Key": "\xe9"}):
        assert client.get("/v1/models", headers=headers).status_code == 401


def test_a_browser_may_send_a_key(tmp_path: Path) -> None:
    file = tmp_path / "keys"
    file.write_text("secret\n")
    headers = {
        "Origin": "http://editor.example",
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization, x-api-key, content-type",
    }
    answer = make_app("--api-keys", str(file)).test_client().options("/v1/chat/completions", headers=headers)
    assert answer.status_code == 200
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    allowed = answer.headers["Access-Control-Allow-Headers"].lower()
    assert all(name in allowed for name in ("authorization", "x-api-key", "content-type"))
