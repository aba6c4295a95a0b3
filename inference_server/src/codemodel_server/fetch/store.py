"""A model in a folder that pods share: locked while it is written, complete or absent, its origin noted beside it."""

import datetime
import errno
import fcntl
import hashlib
import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from codemodel_server.fetch.errors import ChecksumMismatch, NoSpace
from codemodel_server.fetch.progress import Progress
from codemodel_server.fetch.transfer import Received, Transfer

_MODE = 0o644
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


@dataclass(frozen=True, slots=True)
class Manifest:
    """What is known about a file that was fetched.

    Attributes:
        source: its URL.
        etag: the server's name for this version, if it gave one.
        sha256: of its content, hexadecimal.
        size: bytes.
        time: when it was fetched, ISO 8601.
    """

    source: str
    etag: str | None
    sha256: str
    size: int
    time: str


class ModelStore:
    """One destination.

    Args:
        path: where the model is to be.
        progress: told how it gets on.
    """

    def __init__(self, path: Path, progress: Progress) -> None:
        self._path = path
        self._note = path.with_name(f"{path.name}.json")
        self._progress = progress

    def ensure(self, source: str, sha256: str | None, transfer: Transfer) -> bool:
        """Makes sure that the model is there, fetching it at most once however many processes ask.

        Args:
            source: what the transfer fetches, for the note.
            sha256: what the content must be, or None for anything.
            transfer: fetches it.

        Returns:
            Whether it had to be fetched.

        Raises:
            FetchError: it cannot be had.
        """
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with self._locked():
                if self._is_here(source, sha256):
                    return False
                self._remove_stale()
                self._fetch(source, sha256, transfer)
                return True
        except OSError as error:
            remedy = (
                "make the cache larger" if error.errno in _FULL else "check the volume and its permissions"
            )
            raise NoSpace(f"cannot write {self._path}: {error.strerror}: {remedy}") from error

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Holds the destination's lock; the kernel frees it if its holder dies."""
        lock = self._path.with_name(f".{self._path.name}.lock")
        handle = os.open(lock, os.O_RDWR | os.O_CREAT, _MODE)
        try:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                self._progress.event("waiting", "another pod fetches this model: waiting for it")
                fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)

    def _is_here(self, source: str, sha256: str | None) -> bool:
        try:
            size = self._path.stat().st_size
        except FileNotFoundError:
            return False
        note = self._read_note()
        if (
            note is not None
            and note.size == size
            and (note.sha256 == sha256 if sha256 else note.source == source)
        ):
            return True
        # Killed between the file and its note: what was asked for may be here all the same.
        if sha256 is None or self._digest() != sha256:
            return False
        self._write_note(Manifest(source, None, sha256, size, _now()))
        return True

    def _fetch(self, source: str, sha256: str | None, transfer: Transfer) -> None:
        handle, name = tempfile.mkstemp(dir=self._path.parent, prefix=f".{self._path.name}.", suffix=".part")
        os.close(handle)
        part = Path(name)
        try:
            received = transfer.receive(part)
            _check(received, source, sha256)
            _flush(part)
            part.chmod(_MODE)
            part.replace(self._path)
            _flush(self._path.parent)
        finally:
            part.unlink(missing_ok=True)
        self._write_note(Manifest(source, received.etag, received.sha256, received.size, _now()))

    def _remove_stale(self) -> None:
        """Removes what writers left that died; holding the lock, no other is at work."""
        for part in self._path.parent.glob(f".{self._path.name}.*.part"):
            part.unlink(missing_ok=True)

    def _read_note(self) -> Manifest | None:
        try:
            return Manifest(**json.loads(self._note.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            return None

    def _write_note(self, note: Manifest) -> None:
        part = self._note.with_name(f".{self._path.name}.note.part")
        part.write_text(json.dumps(asdict(note), indent=2) + "\n", encoding="utf-8")
        part.chmod(_MODE)
        part.replace(self._note)

    def _digest(self) -> str:
        with self._path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()


def _check(received: Received, source: str, sha256: str | None) -> None:
    if sha256 is not None and received.sha256 != sha256:
        message = (
            f"expected {sha256}, got {received.sha256}: correct spec.model.sha256 or the file at {source}"
        )
        raise ChecksumMismatch(message)


def _flush(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _now() -> str:
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
