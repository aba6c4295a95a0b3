import pytest

from e2e.load.target import TargetError, check, is_loopback


@pytest.mark.parametrize(
    ("url", "allowed"),
    [
        ("http://127.0.0.1:8081", True),
        ("http://127.8.8.8", True),
        ("http://[::1]:80/x", True),
        ("http://localhost:8080", True),
        ("http://localhost.example.org", False),
        ("http://10.0.0.1", False),
        ("http://example.org#127.0.0.1", False),
        ("http://127.0.0.1@example.org/", False),
        ("127.0.0.1:8080", False),
        ("file://localhost/etc", False),
    ],
)
def test_only_this_machine_can_be_loaded(url: str, allowed: bool) -> None:
    assert is_loopback(url) is allowed


def test_another_machine_has_to_be_allowed() -> None:
    with pytest.raises(TargetError, match="--allow-remote"):
        check("http://10.0.0.1:8080", allow_remote=False)
    assert check("http://10.0.0.1:8080/", allow_remote=True) == "http://10.0.0.1:8080"


@pytest.mark.parametrize(
    "url",
    [
        "127.0.0.1:8080",
        "ftp://127.0.0.1",
        "http://",
        "http://127.0.0.1:x",
        "http://[::1",
        "http://127.0.0.1/?a",
    ],
)
def test_what_is_no_base_url_is_refused(url: str) -> None:
    with pytest.raises(TargetError, match="no base URL"):
        check(url, allow_remote=True)
