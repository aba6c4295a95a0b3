import os
import signal
import sys
import threading
from pathlib import Path

import pytest

from e2e.campaign import process
from e2e.waiting import until

STUBBORN = """
import pathlib, signal, sys, threading
told = threading.Event()
signal.signal(signal.SIGINT, lambda *_: told.set())
pathlib.Path(sys.argv[1], "ready").touch()
told.wait(30)
pathlib.Path(sys.argv[1], "written").touch()
"""


@pytest.mark.parametrize("status", [0, 3])
def test_the_exit_status_is_that_of_the_program(status: int) -> None:
    assert process.run([sys.executable, "-c", f"raise SystemExit({status})"]) == status


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_program_that_is_stopped_writes_what_it_has(tmp_path: Path, number: int) -> None:
    def stop() -> None:
        until((tmp_path / "ready").exists, what="the program to run", seconds=20)
        os.kill(os.getpid(), number)

    before = signal.getsignal(number)
    stopper = threading.Thread(target=stop)
    stopper.start()
    with pytest.raises(KeyboardInterrupt):
        process.run([sys.executable, "-c", STUBBORN, str(tmp_path)])
    stopper.join()
    assert (tmp_path / "written").exists()
    assert signal.getsignal(number) is before
