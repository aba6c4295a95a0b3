"""A file system that is really full, at each page around what a model needs: a small one in memory, for one process.

It takes a mount namespace, which containers and some distributions refuse; test_lies.py has a limit on a file's size
instead, which the kernel enforces everywhere.
"""

import hashlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from codemodel_delivery.fetch import errors
from delivery.tests.fetch.hub import MODEL, SHA256, Handler, Hub, running

_PAGE = os.sysconf("SC_PAGE_SIZE")
_NEEDED = -(-len(MODEL) // _PAGE)
"""Pages of the model alone; notes and the lock come to that."""

# The folder, how many pages it has, and the command; the second time there is room.
_SCRIPT = """
folder=$1 pages=$2
shift 2
mount -t tmpfs -o "size=$((pages * {page})),mode=755" none "$folder" || exit 99
"$@" >&2
echo "$?"
cat "$folder/m.gguf" 2>/dev/null | sha256sum
ls -A "$folder"
echo again
mount -o remount,size=64m "$folder" || exit 99
"$@" >&2
echo "$?"
cat "$folder/m.gguf" | sha256sum
"""
_NOTHING = hashlib.sha256().hexdigest()


def _in_namespace(*command: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "CODEMODEL_ALLOW_PRIVATE": "1", "TERMINATION_LOG": os.devnull}
    return subprocess.run(
        ["unshare", "--map-root-user", "--mount", *command],
        capture_output=True,
        text=True,
        timeout=60,
        env=environment,
        check=False,
    )


@pytest.fixture(scope="module", autouse=True)
def _mountable(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = str(tmp_path_factory.mktemp("mountable"))
    try:
        tried = _in_namespace("mount", "-t", "tmpfs", "none", folder)
    except FileNotFoundError:
        pytest.skip("there is no unshare on this machine")
    if tried.returncode:
        pytest.skip(f"this machine allows no mount namespace: {tried.stderr.strip()}")


@pytest.fixture(scope="module")
def hub() -> Iterator[Hub]:
    with running(Hub(_without_length)) as started:
        yield started


def _without_length(hub: Hub, handler: Handler) -> None:
    """Nobody can tell beforehand that it will not fit."""
    hub.send(handler, 200, b"", Content_Length="", Transfer_Encoding="chunked")
    for start in range(0, len(MODEL), 1 << 16):
        piece = MODEL[start : start + (1 << 16)]
        handler.wfile.write(f"{len(piece):X}\r\n".encode() + piece + b"\r\n")
    handler.wfile.write(b"0\r\n\r\n")


def _fetch_twice(hub: Hub, folder: Path, pages: int) -> tuple[list[str], list[str], str]:
    """What the script prints of the full file system, and of the one with room; and what codemodel-fetch says."""
    fetch = [sys.executable, "-m", "codemodel_delivery.fetch.cli", hub.url, str(folder / "m.gguf")]
    script = _SCRIPT.format(page=_PAGE)
    ended = _in_namespace("sh", "-c", script, "sh", str(folder), str(pages), *fetch, "--sha256", SHA256)
    assert ended.returncode == 0, ended.stderr
    first, again = ended.stdout.split("again\n")
    return first.splitlines(), again.splitlines(), ended.stderr


@pytest.mark.parametrize("pages", range(_NEEDED - 1, _NEEDED + 5))
def test_it_ends_with_no_space_or_the_model_and_with_the_model_when_there_is_room(
    hub: Hub, tmp_path: Path, pages: int
) -> None:
    first, again, log = _fetch_twice(hub, tmp_path, pages)
    status, digest, *files = first
    if status == "0":
        assert digest.split()[0] == SHA256
    else:
        assert status == str(errors.NoSpace.exit_code), log
        assert "make the cache larger" in log
        # Under its name is nothing, or all of it: the place was too small for the note alone then.
        assert digest.split()[0] in {_NOTHING, SHA256}
        assert not [name for name in files if name.endswith(".part")]
    assert [again[0], again[1].split()[0]] == ["0", SHA256]


def test_half_the_room_is_too_little(hub: Hub, tmp_path: Path) -> None:
    """Guards the test above: the file system is as small as it was asked to be."""
    first, _, log = _fetch_twice(hub, tmp_path, _NEEDED // 2)
    assert first[0] == str(errors.NoSpace.exit_code), log
