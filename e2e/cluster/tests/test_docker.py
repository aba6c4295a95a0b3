import os
import subprocess
from pathlib import Path

import pytest

from e2e.cluster import docker
from e2e.waiting import until


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "docker.pid"


def test_a_living_process_of_that_name_is_believed(file: Path) -> None:
    file.write_text(f"{os.getpid()}\n")
    name = Path("/proc/self/comm").read_text().strip()
    assert docker._pid(file, name) == os.getpid()
    assert docker._pid(file, "dockerd") is None  # the number belongs to another process now


def test_a_process_that_was_killed_but_not_reaped_does_not_count(file: Path) -> None:
    """Where nothing reaps orphans, a killed daemon stays as a zombie, and Docker takes its number for a lock."""
    with subprocess.Popen(["sleep", "600"]) as process:
        file.write_text(str(process.pid))
        # The kernel gives the process its new name a moment after Popen may go on.
        until(lambda: docker._pid(file, "sleep"), what="the process to have its name", seconds=10)
        process.kill()
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)  # ended, and left unreaped
        assert docker._pid(file, "sleep") is None


@pytest.mark.parametrize("content", ["", "no number", "999999999"])
def test_a_damaged_or_stale_file_is_no_process(file: Path, content: str) -> None:
    file.write_text(content)
    assert docker._pid(file, "dockerd") is None
