"""Steps: what a person sees while the cluster is brought up, and what is left to read when a step fails.

A step prints one line when it ends, and while it runs one after two seconds and every ten, with its time; its
commands write to a log file of their own. When a command fails, :class:`StepError` carries the end of that log
and what to try.
"""

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO

from e2e.cluster import settings

FIRST_PROGRESS_SECONDS = 2.0
PROGRESS_SECONDS = 10.0
TAIL_LINES = 25

ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""Signals that end a bring-up cleanly."""

_printing = threading.Lock()


class StepError(Exception):
    """A step failed: which one, the end of its log, and what to try."""

    def __init__(self, step: str, problem: str, *, log: Path | None = None, hint: str = "") -> None:
        self.step, self.problem, self.log, self.hint = step, problem, log, hint
        super().__init__(f"{step}: {problem}")

    def report(self) -> str:
        """The message for a person: several lines, the log's end first, the advice last."""
        lines = [f"✗ {self.step}: {self.problem}"]
        if self.log and self.log.exists():
            lines += [f"  the end of {self.log}:"]
            tail = self.log.read_text(errors="replace").splitlines()[-TAIL_LINES:]
            lines += [f"  │ {line}" for line in tail]
        if self.hint:
            lines.append(f"  try: {self.hint}")
        return "\n".join(lines)


class Step:
    """One step under way. Its commands share one log file, ``logs/<slug>.log`` in the cache."""

    def __init__(self, title: str, hint: str) -> None:
        self.title, self.hint = title, hint
        slug = "".join(c if c.isalnum() else "-" for c in title.lower()).strip("-")
        settings.LOGS.mkdir(parents=True, exist_ok=True)
        self.log = settings.LOGS / f"{slug[:60]}.log"
        self.log.unlink(missing_ok=True)
        self.note = ""

    def run(
        self,
        *command: str | Path,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        stdin: IO[bytes] | int = subprocess.DEVNULL,
        ok: Sequence[int] = (0,),
    ) -> str:
        """Run a command and return its standard output; its standard error goes to the step's log.

        Raises:
            StepError: the command cannot be started, or ends with a status that is not in ``ok``.
        """
        words = [str(word) for word in command]
        with self.log.open("ab") as log:
            log.write(f"$ {' '.join(words)}\n".encode())
            log.flush()
            process: subprocess.Popen[bytes] | None = None
            try:
                with _unbroken():
                    process = subprocess.Popen(
                        words,
                        cwd=cwd,
                        env={**os.environ, **(env or {})},
                        stdin=stdin,
                        stdout=subprocess.PIPE,
                        stderr=log,
                        start_new_session=True,
                    )
                output, _ = process.communicate()
            except OSError as error:
                raise self.error(f"{words[0]}: {error.strerror}") from error
            except BaseException:  # Ctrl-C: the command, with its children, must not go on without us
                if process:
                    os.killpg(process.pid, signal.SIGTERM)
                    process.wait()
                raise
            log.write(output)
        if process.returncode not in ok:
            raise self.error(f"{Path(words[0]).name} ended with status {process.returncode}")
        return output.decode(errors="replace")

    def error(self, problem: str, hint: str = "") -> StepError:
        """The error to raise for this step."""
        return StepError(self.title, problem, log=self.log, hint=hint or self.hint)


@contextlib.contextmanager
def _unbroken() -> Iterator[None]:
    """Hold Ctrl-C back until the body is done: a command between its fork and its name could not be ended."""
    came: list[int] = []
    before = {number: signal.signal(number, lambda number, _: came.append(number)) for number in ENDING}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    if came:
        raise KeyboardInterrupt


def say(line: str) -> None:
    """Print a line whole, whatever other steps print meanwhile."""
    with _printing:
        sys.stdout.write(line + "\n")
        sys.stdout.flush()


@contextlib.contextmanager
def step(title: str, hint: str = "run it again; what is finished is kept") -> Iterator[Step]:
    """A step as a context: shows its progress while the body runs and its time when it ends."""
    current = Step(title, hint)
    started = time.monotonic()
    ended = threading.Event()

    def progress() -> None:
        pause = FIRST_PROGRESS_SECONDS
        while not ended.wait(pause):
            pause = PROGRESS_SECONDS
            say(f"  … {title} ({time.monotonic() - started:.0f} s)")

    ticker = threading.Thread(target=progress, daemon=True)
    ticker.start()
    try:
        yield current
    finally:  # a step that fails prints no ✓: its error is reported once, at the end
        ended.set()
        ticker.join()
    note = f": {current.note}" if current.note else ""
    say(f"✓ {title}{note} ({time.monotonic() - started:.1f} s)")
