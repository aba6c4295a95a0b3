"""The benchmark on a small file, and what it makes of its figures."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

from delivery.benchmarks.figures import memory_line, time_line

COMMAND = [sys.executable, "-m", "delivery.benchmarks", "--runs", "2"]


def test_a_line_a_figure_and_nothing_left(tmp_path: Path) -> None:
    done = subprocess.run(
        [*COMMAND, "--size", "3", "--folder", str(tmp_path)], capture_output=True, text=True, check=True
    )
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert [(line["bench"], line["unit"], line["target"]) for line in lines] == [
        ("fetch", "s", 0.75), ("fetch", "MiB", 64.0),
    ]  # fmt: skip
    assert all(line["ours"] > 0 for line in lines)
    assert "2 of 2: curl and sha256sum" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_it_can_be_interrupted(tmp_path: Path) -> None:
    command = [*COMMAND, "--size", "1024", "--folder", str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        assert process.stderr.readline().startswith("Making a file")
        process.send_signal(signal.SIGINT)
        said, complaints = process.communicate(timeout=60)
    assert (process.returncode, said) == (1, "")
    assert complaints == "interrupted: the server is ended and its file removed\n"
    assert list(tmp_path.iterdir()) == []


def test_what_is_lacking_is_named(tmp_path: Path) -> None:
    environment = {**os.environ, "PATH": str(tmp_path)}
    failed = subprocess.run(COMMAND, env=environment, capture_output=True, text=True, check=False)
    assert failed.returncode == 1
    assert failed.stderr == "✗ curl is not here: apt-get install curl coreutils\n"


def test_pairs_are_compared() -> None:
    line = json.loads(time_line([1.0, 8.0, 3.0], [2.0, 10.0, 3.9]))
    assert (line["ours"], line["theirs"], line["ratio"], line["ok"]) == (3.0, 3.9, 0.7692, False)
    assert json.loads(time_line([3.0], [4.0]))["ok"]
    line = json.loads(memory_line([30.0, 64.5]))
    assert (line["ours"], line["theirs"], line["ratio"], line["ok"]) == (64.5, None, None, False)
