"""codemodel-fetch as Kubernetes runs it: exit status, termination message, log."""

import hashlib
import json
import subprocess
import sys
from pathlib import Path

from delivery.tests.fetch.hub import MODEL, Hub, running, status, whole


def run(tmp_path: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {"PYTHONPATH": ":".join(sys.path), "TERMINATION_LOG": str(tmp_path / "termination-log")}
    command = [sys.executable, "-m", "codemodel_delivery.fetch.cli", *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


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
