"""A model in a folder that pods share: locked while it is written, complete or absent, its origin noted beside it."""

import datetime
import errno
import fcntl
import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from codemodel_delivery.fetch.errors import (
    CannotWrite,
    ChecksumMismatch,
    FetchError,
    NetworkFailed,
    NoSpace,
    Unauthorized,
)
from codemodel_delivery.fetch.partial import Partial, remove_partial
from codemodel_delivery.fetch.progress import Progress
from codemodel_delivery.fetch.source import shown
from codemodel_delivery.fetch.transfer import Transfer

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
            if self._path.is_dir():
                raise IsADirectoryError(errno.EISDIR, "it is a folder", str(self._path))
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with self._locked():
                if self._is_here(source, sha256):
                    # Of a download that was killed right after its file got its name, or of a source not used now.
                    remove_partial(_partial(self._path))
                    return False
                self._remove_abandoned()
                self._fetch(source, sha256, transfer)
                return True
        except OSError as error:
            raise _explain(error, self._path) from error

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Holds the destination's lock; the kernel frees it if its holder dies."""
        handle = _open_lock(self._path)
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
        with Partial(_partial(self._path), source) as partial:
            try:
                transfer.receive(partial)
                _check(partial, source, sha256)
                # Killed after the next line, the old note would vouch for the new file if both are of one size.
                self._note.unlink(missing_ok=True)
                partial.publish(self._path, _MODE)
            except (NetworkFailed, Unauthorized):
                # What is here is still good: the next try goes on from it.
                raise
            except (FetchError, OSError):
                partial.discard()
                raise
        self._write_note(Manifest(source, partial.version.etag, partial.sha256, partial.size, _now()))

    def _remove_abandoned(self) -> None:
        """Removes parts of other models whose writers have ended: nobody goes on with a source that was edited."""
        for part in self._path.parent.glob(_partial(Path("*")).name):
            model = part.with_name(part.name.removeprefix(".").removesuffix(".part"))
            if model == self._path:
                continue
            handle = _open_lock(model)
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                remove_partial(part)
            except BlockingIOError:
                continue
            finally:
                os.close(handle)

    def _read_note(self) -> Manifest | None:
        try:
            return Manifest(**json.loads(self._note.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            return None

    def _write_note(self, note: Manifest) -> None:
        part = self._note.with_name(f"{self._note.name}.new")
        part.write_text(json.dumps(asdict(note), indent=2) + "\n", encoding="utf-8")
        part.chmod(_MODE)
        part.replace(self._note)

    def _digest(self) -> str:
        with self._path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()


def _check(partial: Partial, source: str, sha256: str | None) -> None:
    if sha256 is not None and partial.sha256 != sha256:
        where = shown(source)
        raise ChecksumMismatch(
            f"expected {sha256}, got {partial.sha256}: correct spec.model.sha256 or the file at {where}"
        )


def _explain(error: OSError, path: Path) -> FetchError:
    problem = f"cannot write {error.filename or path}: {error.strerror or error}"
    if error.errno in _FULL:
        return NoSpace(f"{problem}: make the cache larger")
    return CannotWrite(f"{problem}: check the volume and its permissions")


def _partial(path: Path) -> Path:
    return path.with_name(f".{path.name}.part")


def _open_lock(path: Path) -> int:
    return os.open(path.with_name(f".{path.name}.lock"), os.O_RDWR | os.O_CREAT, _MODE)


def _now() -> str:
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
