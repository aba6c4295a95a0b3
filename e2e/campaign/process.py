"""Runs the campaign's programs, so that Ctrl-C lets them write what they have."""

import os
import signal
import subprocess
from collections.abc import Sequence
from types import FrameType

STOPPED = 128 + signal.SIGINT
"""Exit status of a program that Ctrl-C ended."""


def run(command: Sequence[str]) -> int:
    """Run a program to its end and return its exit status.

    Raises:
        KeyboardInterrupt: Ctrl-C, or SIGTERM, was sent meanwhile; the program has been told, and has ended.
    """
    asked: list[int] = []
    program: subprocess.Popen[bytes] | None = None

    def ask_to_end(number: int, _: FrameType | None) -> None:
        asked.append(number)
        if program is not None:
            program.send_signal(signal.SIGINT)

    before = {number: signal.signal(number, ask_to_end) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        # A group of its own: it is told once, by the handler above, and not by the terminal, too.
        program = subprocess.Popen(command, process_group=0, env=os.environ)
        if asked:
            program.send_signal(signal.SIGINT)
        status = program.wait()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    if asked:
        raise KeyboardInterrupt
    return status
