"""codemodel-fetch in processes that may be killed: forked from one that has imported it, because hundreds are."""

import json
import multiprocessing
import os
import resource
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any

from codemodel_delivery.fetch import cli

_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload([__name__])
# What a process does to folders, by the names of Python's audit events; each is raised before it is done.
_STEPS = {"open", "os.rename", "os.remove", "os.chmod", "os.mkdir"}


@dataclass(frozen=True, slots=True)
class Limits:
    """What befalls the process.

    Attributes:
        killed_at: it is killed before its so-maniest change of folders or opening of a file there; 0 for never.
        file_size: bytes that a file of it may have, or None.
    """

    killed_at: int = 0
    file_size: int | None = None


NONE = Limits()


@dataclass(frozen=True, slots=True)
class Fetching:
    """A running codemodel-fetch."""

    process: ForkServerProcess
    log: Path

    def kill(self) -> None:
        assert self.process.exitcode is None
        self.process.kill()
        assert self.ended() == -signal.SIGKILL

    def ended(self) -> int:
        """Waits for its end; its exit status, or the signal as a negative number."""
        self.process.join(30)
        assert self.process.exitcode is not None
        return self.process.exitcode

    def events(self) -> list[dict[str, Any]]:
        return [
            json.loads(line) for line in self.log.read_text().splitlines(keepends=True) if line[-1] == "\n"
        ]

    def says(self, name: str) -> bool:
        return any(event["event"] == name for event in self.events())


@contextmanager
def fetching(dest: Path, log: Path, *arguments: str, limits: Limits = NONE) -> Iterator[Fetching]:
    """Starts `codemodel-fetch SOURCE dest ...`; it has ended afterwards.

    Args:
        dest: the file to write.
        log: takes its standard output.
        arguments: the source, and options.
        limits: what befalls it.
    """
    log.touch()
    process = _CONTEXT.Process(target=_fetch, args=(log, limits, [*arguments, str(dest)]))
    process.start()
    try:
        yield Fetching(process, log)
    finally:
        process.kill()
        process.join()
        process.close()


def _fetch(log: Path, limits: Limits, arguments: list[str]) -> None:
    os.environ |= {"CODEMODEL_ALLOW_PRIVATE": "1", "TERMINATION_LOG": f"{log}.termination"}
    sys.argv = ["codemodel-fetch", *arguments]
    if limits.file_size is not None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limits.file_size, limits.file_size))
    with log.open("w") as sys.stdout:
        if limits.killed_at:
            _kill_at(limits.killed_at, Path(arguments[-1]).parent)
        cli.main()


def _kill_at(step: int, folder: Path) -> None:
    steps = 0

    def hook(name: str, arguments: tuple[Any, ...]) -> None:
        nonlocal steps
        if name in _STEPS and str(arguments[0]).startswith(str(folder)):
            steps += 1
            if steps == step:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(hook)
