"""The servers that are compared, and how each is started and ended."""

import contextlib
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from e2e.cluster import settings
from e2e.ports import free_ports
from inference_server.benchmarks.client import Client
from inference_server.benchmarks.events import Surface

OURS = "codemodel-server"
"""Our server's name in results."""
_READY_SECONDS = 120.0
_POLL_SECONDS = 0.01
_END_SECONDS = 10.0
# A server reads its settings from the environment too: it is not to find there what was meant for another.
_KEPT = ("PATH", "HOME", "LANG", "TMPDIR")


class ServerError(Exception):
    """A server did not start or broke down; the message ends with the path of its log."""


@dataclass(frozen=True, slots=True)
class Load:
    """What a server is prepared for.

    Attributes:
        slots: requests decoded together.
        context: tokens of all of them together.
        threads: computing threads.
    """

    slots: int
    context: int
    threads: int


@dataclass(frozen=True, slots=True)
class Program:
    """A server's command line.

    Attributes:
        name: as it stands in results.
        command: the program and its leading arguments.
        sized: the arguments for a load: each server counts its context in its own way.
        environment: variables that it needs.
        ready: the path that answers 200 once the model is loaded.
        surface: the form of its streams.
    """

    name: str
    command: tuple[str, ...]
    sized: Callable[[Load], tuple[str, ...]]
    environment: Mapping[str, str]
    ready: str
    surface: Surface


@dataclass(frozen=True, slots=True)
class Running:
    """A server that is ready.

    Attributes:
        name: the program's.
        client: to ask it.
        pid: its main process.
        start_seconds: from the start of the program until it was ready.
    """

    name: str
    client: Client
    pid: int
    start_seconds: float


def ours() -> Program:
    """This project's server."""
    command = (str(Path(sys.prefix) / "bin" / "codemodel-server"), "--management-port", "0")

    def sized(load: Load) -> tuple[str, ...]:
        each = str(load.context // load.slots)
        return "--parallel", str(load.slots), "--context-length", each, "--threads", str(load.threads)

    return Program(OURS, command, sized, {}, "/ready", Surface.LLAMA_CPP)


def llama_server(programs: Path, *options: str) -> Program:
    """llama-server with the options given, else as it comes.

    Args:
        programs: the folder that `llama_server.build` returned.
        *options: what it is told beside model, port and load.
    """
    binaries = programs / "bin"
    name = " ".join(("llama-server", *options))
    command = (str(binaries / "llama-server"), *options)

    def sized(load: Load) -> tuple[str, ...]:
        threads = str(load.threads)
        return "-np", str(load.slots), "-c", str(load.context), "-t", threads, "-tb", threads

    return Program(name, command, sized, _libraries(programs), "/health", Surface.LLAMA_CPP)


def llama_cpp_server(python: Path, programs: Path) -> Program:
    """llama-cpp-python's own server.

    Args:
        python: the interpreter that `llama_cpp_server.install` returned.
        programs: the folder that `llama_server.build` returned, whose llama.cpp it is to run.
    """
    command = (str(python), "-m", "llama_cpp.server")

    def sized(load: Load) -> tuple[str, ...]:
        threads = str(load.threads)
        each = str(load.context // load.slots)
        return "--n_ctx", each, "--n_threads", threads, "--n_threads_batch", threads

    return Program("llama_cpp.server", command, sized, _libraries(programs), "/v1/models", Surface.OPENAI)


def _libraries(programs: Path) -> dict[str, str]:
    """Lets a peer run llama.cpp as it comes: its own libllama and libggml, and not those that ours runs."""
    return {"LD_LIBRARY_PATH": str(programs / "bin")}


def arguments(program: Program, model: Path, load: Load, port: int) -> list[str]:
    """The whole command line."""
    where = ("--model", str(model), "--host", "127.0.0.1", "--port", str(port))
    return [*program.command, *where, *program.sized(load)]


@contextlib.contextmanager
def serve(program: Program, model: Path, load: Load) -> Iterator[Running]:
    """Runs a server as a context; it is ready in the body, and ended after it.

    Raises:
        ServerError: it ended, or was not ready in two minutes.
    """
    (port,) = free_ports(1)
    kept = {key: os.environ[key] for key in _KEPT if key in os.environ}
    settings.LOGS.mkdir(parents=True, exist_ok=True)
    log = settings.LOGS / f"bench-{program.name.replace(' ', '')}.log"
    with log.open("wb") as output:
        started = time.monotonic()
        process = subprocess.Popen(
            arguments(program, model, load, port),
            env={**kept, **program.environment},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            _wait(process, f"http://127.0.0.1:{port}{program.ready}", started, log)
            ready = time.monotonic() - started
            yield Running(program.name, Client(port, program.surface), process.pid, ready)
            if process.poll() is not None:
                raise ServerError(f"{program.name} ended with status {process.returncode}: {log}")
        finally:
            _end(process)


def _wait(process: subprocess.Popen[bytes], url: str, started: float, log: Path) -> None:
    while not _answers(url):
        if process.poll() is not None:
            raise ServerError(f"the server ended with status {process.returncode} before it was ready: {log}")
        if time.monotonic() - started > _READY_SECONDS:
            raise ServerError(f"the server was not ready in {_READY_SECONDS:.0f} s: {log}")
        time.sleep(_POLL_SECONDS)


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5):  # noqa: S310 (a server of ours, on loopback)
            return True
    except (urllib.error.URLError, OSError):
        return False


def _end(process: subprocess.Popen[bytes]) -> None:
    """Ends the server; it leads a session of its own, so what its children do not end by themselves ends with it."""
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(_END_SECONDS)
    except subprocess.TimeoutExpired:
        pass
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
