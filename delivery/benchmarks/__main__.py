"""`python -m delivery.benchmarks`: a verified download against curl and sha256sum, lines of JSON on standard output."""

import argparse
import hashlib
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from delivery.benchmarks.figures import memory_line, time_line
from e2e.benchmark import end_as_with_ctrl_c, positive

_MIB = 1 << 20
_SEED = 1
_FETCHED = "fetched.gguf"
# What a shell would be told; no proxy of the environment may come between.
_CURL = 'curl --noproxy "*" -sS -o "$1" "$2" && sha256sum "$1"'


class BenchmarkError(Exception):
    """It cannot be measured; the message says what to do."""


@dataclass(frozen=True, slots=True)
class _Run:
    """What one program took: seconds from its start to its end, and its peak of resident memory in MiB."""

    seconds: float
    peak: float


def main() -> None:
    """Measures, and ends with 0 whatever the figures are: each line says whether its goal is met."""
    chosen = _parse(sys.argv[1:])
    end_as_with_ctrl_c()
    try:
        lines = _measure(chosen.runs, chosen.size * _MIB, chosen.folder)
    except BenchmarkError as error:
        sys.exit(f"✗ {error}")
    except KeyboardInterrupt:
        sys.exit("interrupted: the server is ended and its file removed")
    print("\n".join(lines), flush=True)


def _measure(runs: int, size: int, parent: Path | None) -> list[str]:
    if lacking := [name for name in ("curl", "sha256sum") if shutil.which(name) is None]:
        raise BenchmarkError(f"{lacking[0]} is not here: apt-get install curl coreutils")
    measured: defaultdict[str, list[_Run]] = defaultdict(list)
    with tempfile.TemporaryDirectory(prefix="codemodel-bench-", dir=parent) as made:
        folder = Path(made)
        _check_space(folder, size)
        _say(f"Making a file of {size // _MIB} MiB in {folder} …")
        digest = _make(folder / "model.gguf", size)
        with _serving(folder / "model.gguf") as url:
            programs = _programs(url, folder / _FETCHED, digest)
            for number in range(1, runs + 1):
                for name, command in programs.items():
                    run = _run(name, command, folder, digest)
                    measured[name].append(run)
                    _say(f"{number} of {runs}: {name}: {run.seconds:.2f} s, {run.peak:.0f} MiB")
    ours, theirs = measured.values()
    return [
        time_line([run.seconds for run in ours], [run.seconds for run in theirs]),
        memory_line([run.peak for run in ours]),
    ]


def _programs(url: str, dest: Path, digest: str) -> dict[str, list[str]]:
    fetch = [sys.executable, "-m", "codemodel_delivery.fetch.cli", url, str(dest), "--sha256", digest]
    return {"codemodel-fetch": fetch, "curl and sha256sum": ["sh", "-c", _CURL, "sh", str(dest), url]}


def _check_space(folder: Path, size: int) -> None:
    free = shutil.disk_usage(folder).free
    if free < 2 * size + 64 * _MIB:
        needed = (2 * size) // _MIB + 64
        raise BenchmarkError(
            f"{folder.parent} has {free // _MIB} MiB free and {needed} are needed: give --folder or --size"
        )


def _make(path: Path, size: int) -> str:
    """Writes a file of random bytes that begins as a model does, and returns its SHA-256."""
    chance, digest = random.Random(_SEED), hashlib.sha256()  # noqa: S311  # any bytes will do
    with path.open("wb") as file:
        while file.tell() < size:
            block = chance.randbytes(min(_MIB, size - file.tell()))
            block = b"GGUF" + block[4:] if file.tell() == 0 else block
            digest.update(block)
            file.write(block)
    return digest.hexdigest()


@contextmanager
def _serving(path: Path) -> Iterator[str]:
    """Sends the file in a process of its own, at this URL."""
    command = [sys.executable, "-m", "delivery.benchmarks.server", str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None  # noqa: S101
            url = server.stdout.readline().strip()
            if not url:
                raise BenchmarkError("the server did not start: see what it says above")
            yield url
        finally:
            server.terminate()


def _run(name: str, command: Sequence[str], folder: Path, digest: str) -> _Run:
    """Runs a program that is to leave its file, from a disk that is at rest; removes what it left."""
    environment = {**os.environ, "CODEMODEL_ALLOW_PRIVATE": "1"}
    os.sync()
    began = time.monotonic()
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        try:
            assert process.stdout is not None  # noqa: S101
            said = process.stdout.read()
            _, status, usage = os.wait4(process.pid, 0)
        except KeyboardInterrupt:
            process.terminate()
            raise
        seconds = time.monotonic() - began
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise BenchmarkError(f"{name} ended with {process.returncode}: {said.strip()}")
    note = folder / f"{_FETCHED}.json"
    if digest not in (note.read_text(encoding="utf-8") if note.exists() else said):
        raise BenchmarkError(f"{name} did not find the file's checksum: something is wrong with one of both")
    for left in folder.glob(f"*{_FETCHED}*"):
        left.unlink()
    return _Run(seconds, usage.ru_maxrss / 1024)


def _parse(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m delivery.benchmarks",
        description="Measure codemodel-fetch with --sha256 against `curl && sha256sum`, over loopback, the two taking "
        "turns. Takes a minute or two, and twice the file's size on disk; the machine should do nothing else.",
    )
    parser.add_argument("--runs", type=positive, default=5, metavar="N", help="runs of each (default: 5)")
    parser.add_argument("--size", type=positive, default=2048, metavar="MIB", help="MiB of the file (2048)")
    parser.add_argument(
        "--folder", type=Path, metavar="DIR", help="where to make files (default: the system's)"
    )
    return parser.parse_args(arguments)


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
