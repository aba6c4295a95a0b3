"""An operator as a program on this machine: started, asked, and ended whatever happens."""

import contextlib
import os
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import httpx

from e2e.cluster.steps import _unbroken
from e2e.kubectl import kubectl
from e2e.operator_benchmark.operators import BenchmarkError

_READY_SECONDS = 60.0
_PAUSE_SECONDS = 0.1
_END_SECONDS = 30.0
_TAIL_LINES = 15
# An operator reads its settings from the environment too: it is not to find there what was meant for another.
_KEPT = ("PATH", "HOME", "LANG", "TMPDIR")


class Program:
    """A program that runs until `end`; between its start and its end it answers on two local ports."""

    def __init__(self, command: Sequence[str | Path], environment: Mapping[str, str], log: Path) -> None:
        """Name it; nothing runs yet.

        Args:
            command: what to run.
            environment: variables for it, beside those that every program needs.
            log: the file that its output goes to.
        """
        self._command = [str(word) for word in command]
        kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
        self._environment = {**kept, **environment}
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """Its process.

        Raises:
            BenchmarkError: it does not run.
        """
        if self._process is None or self._process.poll() is not None:
            raise BenchmarkError(self._ended("does not run"))
        return self._process.pid

    def start(self, ready: str) -> None:
        """Run it, and wait until a URL answers 200.

        Raises:
            BenchmarkError: it cannot be run, has ended, or did not become ready; the end of its log is in the message.
        """
        self._log.parent.mkdir(parents=True, exist_ok=True)
        # Held back, Ctrl-C cannot come between the fork and the name without which the program could not be ended.
        with self._log.open("wb") as log, _unbroken():
            try:
                self._process = subprocess.Popen(
                    self._command,
                    env=self._environment,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,  # Ctrl-C is ours: we end it when what it made is removed
                )
            except OSError as error:
                raise BenchmarkError(f"{self._command[0]}: {error.strerror}") from error
        deadline = time.monotonic() + _READY_SECONDS
        while not _answers(ready):
            if self._process.poll() is not None:
                raise BenchmarkError(self._ended(f"ended with status {self._process.returncode}"))
            if time.monotonic() > deadline:
                raise BenchmarkError(self._ended(f"is not ready after {_READY_SECONDS:.0f} s"))
            time.sleep(_PAUSE_SECONDS)

    def end(self) -> None:
        """End it if it runs, by force if it does not end by itself."""
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(_END_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _ended(self, how: str) -> str:
        lines = self._log.read_text(errors="replace").splitlines() if self._log.exists() else []
        return "\n".join(
            [
                f"{self._command[0]} {how}; the end of {self._log}:",
                *(f"  │ {x}" for x in lines[-_TAIL_LINES:]),
            ]
        )


def text_of(url: str) -> str:
    """GET what a program of this machine tells.

    Raises:
        httpx.HTTPError: it does not answer, or not with 2xx.
    """
    return httpx.get(url, trust_env=False).raise_for_status().text


@contextlib.contextmanager
def kubeconfig() -> Iterator[Path]:
    """A file for programs that are to work on the cluster, with an administrator's rights; gone afterwards.

    Raises:
        KubectlError: there is no cluster; the message says what to do.
    """
    with tempfile.TemporaryDirectory(prefix="codemodel-bench-") as folder:
        path = Path(folder) / "kubeconfig"
        path.touch(mode=0o600)
        path.write_text(kubectl("config", "view", "--raw", "--minify", "--flatten"))
        yield path


def _answers(url: str) -> bool:
    try:
        return httpx.get(url, trust_env=False).is_success
    except httpx.TransportError:
        return False
