"""The server as a real process, and waiting without guessing how long."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import Any, TypeVar

import httpx

_DEADLINE_SECONDS = 30.0
_LISTENING = re.compile(r"Listening at: (http://[^ ]+)")
_MANAGEMENT = re.compile(r"management at (http://[^\" ]+)")
Result = TypeVar("Result")


def eventually(check: Callable[[], Result | None], what: str, seconds: float = _DEADLINE_SECONDS) -> Result:
    """Asks until there is an answer other than None or False; fails at the deadline."""
    deadline = time.monotonic() + seconds
    while True:
        result = check()
        if result:
            return result
        assert time.monotonic() < deadline, f"not within {seconds} s: {what}"
        time.sleep(0.02)


class ServerProcess:
    """codemodel-server on free ports of the loopback interface.

    Attributes:
        client: asks the main port.
        management: asks the management port.
    """

    def __init__(
        self,
        folder: Path,
        arguments: Sequence[str],
        environment: Mapping[str, str],
        program: Sequence[str] = ("-m", "codemodel_server.cli"),
    ) -> None:
        self._log = folder / "server.log"
        self.termination_log = folder / "termination-log"
        clean = {
            key: value for key, value in os.environ.items() if key in {"PATH", "PYTHONPATH", "HOME", "LANG"}
        }
        with self._log.open("wb") as out:
            self.process = subprocess.Popen(
                [sys.executable, *program, "--port", "0", "--management-port", "0", *arguments],
                env={**clean, "TERMINATION_LOG": str(self.termination_log), **environment},
                stdout=out,
                stderr=subprocess.STDOUT,
            )
        try:
            urls = self._logged(_LISTENING), self._logged(_MANAGEMENT)
        except AssertionError:
            self._end()
            raise
        self.client, self.management = (
            httpx.Client(base_url=url, timeout=_DEADLINE_SECONDS, trust_env=False) for url in urls
        )

    def _logged(self, line: re.Pattern[str]) -> str:
        def look() -> re.Match[str] | None:
            assert self.process.poll() is None, self.log()
            return line.search(self.log())

        return eventually(look, line.pattern)[1]

    def log(self) -> str:
        return self._log.read_text(encoding="utf-8", errors="replace")

    def wait_ready(self) -> None:
        eventually(lambda: self.client.get("/ready").is_success, "ready")

    def chat(self, **body: Any) -> httpx.Response:
        return self.client.post("/chat", json=body)

    @contextmanager
    def stream(self, **body: Any) -> Iterator["Stream"]:
        with self.client.stream("POST", "/chat", json={**body, "stream": True}) as response:
            yield Stream(response)

    @contextmanager
    def connection(self) -> Iterator[HTTPConnection]:
        """A bare connection, that can be left before the answer."""
        connection = HTTPConnection(
            self.client.base_url.host, self.client.base_url.port, timeout=_DEADLINE_SECONDS
        )
        try:
            yield connection
        finally:
            connection.close()

    def metric(self, name: str) -> float:
        """The sum of a metric over its labels."""
        lines = re.findall(rf"^{name}(?:{{.*}})? (\S+)$", self.management.get("/metrics").text, re.MULTILINE)
        assert lines, f"no metric {name}"
        return sum(map(float, lines))

    def terminate(self) -> None:
        self.process.send_signal(signal.SIGTERM)

    def exit_status(self) -> int:
        return self.process.wait(_DEADLINE_SECONDS)

    def close(self) -> None:
        self.client.close()
        self.management.close()
        self._end()

    def _end(self) -> None:
        if self.process.poll() is None:
            self.terminate()
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()


StartServer = Callable[..., ServerProcess]


class Stream:
    """Server-sent events as they come."""

    def __init__(self, response: httpx.Response) -> None:
        self.response = response
        self._lines = response.iter_lines()

    def next_line(self) -> str:
        """The next line that is not empty: an event or a comment."""
        return next(line for line in self._lines if line)

    def events(self) -> Iterator[dict[str, Any]]:
        for line in self._lines:
            if line.startswith("data: "):
                yield json.loads(line.removeprefix("data: "))
