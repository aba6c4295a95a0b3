"""Operator processes: started, killed and stopped by the tests."""

import json
import os
import select
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from e2e.ports import free_ports

_STOP_SECONDS = 30


class Operators:
    """Starts operator processes through `zygote.py`; for threads."""

    def __init__(self, folder: Path, process: "subprocess.Popen[str]") -> None:
        self._folder = folder
        self._process = process
        self._lock = threading.Lock()

    @classmethod
    @contextmanager
    def started(cls, folder: Path) -> Iterator["Operators"]:
        """Make ready; all operators end with this."""
        zygote = Path(__file__).with_name("zygote.py")
        # Its own session: Ctrl-C is for the tests, which end it.
        process = subprocess.Popen(
            [sys.executable, str(zygote)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
            # Whatever happens, no operator of a test finds the cluster of whoever runs it.
            env={**os.environ, "KUBECONFIG": os.devnull},
        )
        with process:
            yield cls(folder, process)

    def start(self, name: str, kubeconfig: Path, *arguments: str) -> "Operator":
        """Start an operator.

        Args:
            name: of its log; later operators of the same name go on with it.
            kubeconfig: says where its API server is.
            arguments: as on the command line.
        """
        log = self._folder / f"{name}.log"
        liveness, metrics = free_ports(2)
        ports = (f"--liveness-port={liveness}", f"--metrics-port={metrics}")
        request = {
            "arguments": [*arguments, *ports, "--log-format=text"],
            "kubeconfig": str(kubeconfig),
            "log": str(log),
        }
        with self._lock:
            assert self._process.stdin
            assert self._process.stdout
            self._process.stdin.write(json.dumps(request) + "\n")
            self._process.stdin.flush()
            return Operator(int(self._process.stdout.readline()), log)


class Operator:
    """A running operator."""

    def __init__(self, pid: int, log: Path) -> None:
        self._pid = pid
        self.log = log
        try:
            # What it tells of stays this process, whoever gets the pid later.
            self._handle: int | None = os.pidfd_open(pid)
        except ProcessLookupError:
            self._handle = None

    @property
    def ended(self) -> bool:
        """Whether it runs no more."""
        return self._wait(0)

    def kill(self) -> None:
        """End it without any warning, as a node that dies."""
        self._signal(signal.SIGKILL)
        assert self._wait(_STOP_SECONDS), "a killed operator goes on"

    def stop(self) -> None:
        """End it as the kubelet does."""
        self._signal(signal.SIGTERM)
        if not self._wait(_STOP_SECONDS):
            self.kill()
            raise AssertionError(f"the operator did not end within {_STOP_SECONDS} s of SIGTERM")

    def _signal(self, number: signal.Signals) -> None:
        if not self.ended:
            os.kill(self._pid, number)

    def _wait(self, seconds: float) -> bool:
        if self._handle is None:
            return True
        ended, _, _ = select.select([self._handle], [], [], seconds)
        if ended:
            os.close(self._handle)
            self._handle = None
        return self._handle is None
