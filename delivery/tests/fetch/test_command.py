"""codemodel-fetch as Kubernetes runs it: exit status, termination message, log."""

import hashlib
import json
import subprocess
import sys
from pathlib import Path

import pytest

from codemodel_delivery.fetch import errors
from delivery.tests.fetch.hub import MODEL, Hub, running, status, whole


def run_guarded(tmp_path: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Runs the command as it is without any setting."""
    environment = {
        "PYTHONPATH": ":".join(sys.path),
        "TERMINATION_LOG": str(tmp_path / "termination-log"),
        **variables,
    }
    command = [sys.executable, "-m", "codemodel_delivery.fetch.cli", *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def run(tmp_path: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Runs the command so that it may reach a hub at 127.0.0.1."""
    return run_guarded(tmp_path, "--allow-private", *arguments, **variables)


def test_success(tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("secret\n")
    dest = tmp_path / "model.gguf"
    with running(Hub(whole)) as hub:
        first = run(tmp_path, hub.url, str(dest), "--token-file", str(token))
        second = run(tmp_path, hub.url, str(dest), "--sha256", hashlib.sha256(MODEL).hexdigest())
    assert (first.returncode, second.returncode) == (0, 0)
    assert hub.requests[0]["authorization"] == "Bearer secret"
    assert json.loads(first.stdout.splitlines()[-1])["event"] == "fetched"
    assert json.loads(second.stdout.splitlines()[-1])["event"] == "already-here"
    assert not (tmp_path / "termination-log").exists()


def test_failure(tmp_path: Path) -> None:
    with running(Hub(status(404))) as hub:
        failed = run(tmp_path, hub.url, str(tmp_path / "model.gguf"))
    assert failed.returncode == 11
    message = (tmp_path / "termination-log").read_text()
    assert message.startswith("NotFound: http://127.0.0.1:")
    assert json.loads(failed.stdout.splitlines()[-1])["reason"] == "NotFound"


def test_wrong_arguments(tmp_path: Path) -> None:
    wrong = run(tmp_path, "http://host/x", str(tmp_path / "m"), "--sha256", "123")
    assert wrong.returncode == 2
    assert "64 lowercase hexadecimal digits" in wrong.stderr
    absent = run(tmp_path, "http://host/x", str(tmp_path / "m"), "--token-file", str(tmp_path / "none"))
    assert absent.returncode == 2


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["--max-size", "many"], "'many' is not a size: give bytes, such as 500M, 20Gi"),
        (["--max-size", "20GiB"], "is not a size"),
        (["--max-size", "10i"], "is not a size"),
        (["--max-size", "-1"], "is not a size"),
        (["--max-size", "0"], "allows no file at all"),
        (["--max-size", "0.0001k"], "allows no file at all"),
        (["--allow-host", "http://models.example/"], "without scheme, port and path"),
        (["--allow-host", "models.example:443"], "without scheme, port and path"),
        (["--allow-host", "a.*.example"], "without scheme, port and path"),
        (["--allow-host", ""], "without scheme, port and path"),
    ],
)
def test_what_is_wrong_with_an_argument_is_told(tmp_path: Path, arguments: list[str], problem: str) -> None:
    wrong = run(tmp_path, "http://host.example/x", str(tmp_path / "m"), *arguments)
    assert wrong.returncode == 2
    assert problem in wrong.stderr


def test_what_is_wrong_with_the_environment_is_told(tmp_path: Path) -> None:
    place = str(tmp_path / "m")
    switch = run(tmp_path, "http://host.example/x", place, CODEMODEL_ALLOW_PRIVATE="yes")
    assert (switch.returncode, "CODEMODEL_ALLOW_PRIVATE is 'yes': give 1" in switch.stderr) == (2, True)
    token = run(tmp_path, "hf://org/repo/model.gguf", place, HF_TOKEN="SEC RET")
    assert (token.returncode, "HF_TOKEN does not have one token" in token.stderr) == (2, True)
    assert "SEC RET" not in token.stderr
    trust = run(tmp_path, "https://host.example/x", place, SSL_CERT_FILE=str(tmp_path / "none"))
    assert (trust.returncode, "correct SSL_CERT_FILE" in trust.stderr) == (2, True)


def test_private_addresses_are_refused_unless_allowed(tmp_path: Path) -> None:
    place = str(tmp_path / "model.gguf")
    with running(Hub(whole)) as hub:
        refused = run_guarded(tmp_path, hub.url, place)
        assert hub.requests == []
        allowed = run_guarded(tmp_path, hub.url, place, CODEMODEL_ALLOW_PRIVATE="1")
    assert (refused.returncode, allowed.returncode) == (errors.RefusedSource.exit_code, 0)
    message = (tmp_path / "termination-log").read_text()
    assert message.startswith("RefusedSource: 127.0.0.1 has the address 127.0.0.1")
    assert "--allow-private" in message
    assert "ALLOW_PRIVATE_SOURCES" in message


def test_only_allowed_hosts_are_contacted(tmp_path: Path) -> None:
    place = str(tmp_path / "model.gguf")
    with running(Hub(whole)) as hub:
        refused = run(tmp_path, hub.url, place, "--allow-host", "a.example", "--allow-host", "*.b.example")
        assert hub.requests == []
        allowed = run(tmp_path, hub.url, place, "--allow-host", "a.example", "--allow-host", "127.0.0.1")
    assert (refused.returncode, allowed.returncode) == (errors.RefusedSource.exit_code, 0)


@pytest.mark.parametrize(
    ("size", "status"),
    [
        (str(len(MODEL)), 0), (str(len(MODEL) - 1), 18), ("524k", 18), ("1M", 0), ("512Ki", 18), ("0.6Mi", 0),
        ("20Gi", 0), ("1T", 0),
    ],
)  # fmt: skip
def test_a_file_that_is_too_large_is_not_fetched(tmp_path: Path, size: str, status: int) -> None:
    with running(Hub(whole)) as hub:
        ended = run(tmp_path, hub.url, str(tmp_path / "model.gguf"), "--max-size", size)
    assert ended.returncode == status
    assert (tmp_path / "model.gguf").exists() == (status == 0)


def test_a_model_of_the_hub(tmp_path: Path) -> None:
    source = "hf://org/repo/q4/model.gguf@v1"
    place = tmp_path / "model.gguf"
    with running(Hub(whole)) as hub:
        fetched = run(
            tmp_path, source, str(place), HF_ENDPOINT=hub.url.removesuffix("/model.gguf"), HF_TOKEN="from-hf"
        )
    assert fetched.returncode == 0
    assert hub.requests[0]["authorization"] == "Bearer from-hf"
    assert json.loads(place.with_name("model.gguf.json").read_text())["source"] == source


def test_the_token_of_the_hub_goes_nowhere_else_and_a_file_goes_before_it(tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("from-file")
    with running(Hub(whole)) as hub:
        endpoint = hub.url.removesuffix("/model.gguf")
        run(tmp_path, hub.url, str(tmp_path / "a"), HF_TOKEN="from-hf")
        arguments = ["hf://org/repo/x", str(tmp_path / "b"), "--token-file", str(token)]
        run(tmp_path, *arguments, HF_ENDPOINT=endpoint, HF_TOKEN="from-hf")
    assert [request.get("authorization") for request in hub.requests] == [None, "Bearer from-file"]


def test_a_checksum_that_differs_is_told_of_a_model_of_the_hub(tmp_path: Path) -> None:
    source = "hf://org/repo/model.gguf@v1"
    with running(Hub(whole)) as hub:
        endpoint = hub.url.removesuffix("/model.gguf")
        run(tmp_path, source, str(tmp_path / "m"), "--sha256", "0" * 64, HF_ENDPOINT=endpoint)
    message = (tmp_path / "termination-log").read_text()
    assert message.startswith("ChecksumMismatch: expected 000")
    assert "org/repo/model.gguf@v1" in message


def test_every_failure_is_in_the_help(tmp_path: Path) -> None:
    told = " ".join(run(tmp_path, "--help").stdout.split())
    failures = errors.FetchError.__subclasses__()
    assert errors.TooLarge in failures
    for failure in failures:
        assert f"{failure.exit_code} {failure.__name__}" in told
