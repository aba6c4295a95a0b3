"""A download that is not complete yet, kept so that another process can go on with it."""

import hashlib
import json
import os
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from codemodel_delivery.fetch.lane import Lane

MAGIC = b"GGUF"
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
_BLOCK = 1 << 20
# Bytes: a slow disk works while the rest comes, instead of at the end, and few pages that it does not have fill memory.
_FLUSH_EVERY = 1 << 26


@dataclass(frozen=True, slots=True)
class Version:
    """What a server says about one version of a file.

    Attributes:
        total: bytes, or None if it does not say.
        etag: its name for the version, if it has one.
        validator: what it can be asked to compare before it goes on; None if a download cannot be continued.
    """

    total: int | None = None
    etag: str | None = None
    validator: str | None = None


class Partial:
    """The bytes that are here so far, beside a note that says of which version of which source they are.

    The note is removed before bytes of another version come, and written before the first of them: whenever the process
    is killed, what note and file say together is true. Bytes from before a restart of the machine are not trusted,
    because they need not have reached the disk.

    Use it as a context manager, by one process at a time.

    Args:
        path: the file.
        source: the URL that it is fetched from.

    Attributes:
        path: the file.
        size: bytes in it.
        version: of which version.
    """

    def __init__(self, path: Path, source: str) -> None:
        self.path = path
        self.size = 0
        self.version = Version()
        self._source = source
        self._note = _note(path)
        self._digest = hashlib.sha256()
        self._head = b""
        # Without a buffer: what was written is in the file, whenever the process is killed.
        self._file = path.open("ab+", buffering=0)
        # hashlib and the kernel work without Python's lock, so that receiving, hashing and writing go on at once.
        self._hashing = Lane(self._hash)
        self._writing = Lane(self._write)
        self._flushing = Lane(self._flush)
        self._unflushed = 0

    def __enter__(self) -> Self:
        version = self._noted()
        if version is None:
            self.restart(Version())
            return self
        self.version = version
        self._file.seek(0)
        while block := self._file.read(_BLOCK):
            self._count(block)
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        # What was received is kept; a slow disk is not waited for.
        with suppress(OSError):
            self._writing.wait()
        self._hashing.wait()
        for lane in (self._writing, self._flushing, self._hashing):
            lane.close()
        self._file.close()
        if self.size == 0 or self.version.validator is None:
            self.discard()

    @property
    def sha256(self) -> str:
        """Of the bytes so far, hexadecimal."""
        self._hashing.wait()
        return self._digest.hexdigest()

    @property
    def complete(self) -> bool:
        """Whether all bytes are here; False if their number is not known."""
        return self.size == self.version.total

    @property
    def may_be_gguf(self) -> bool:
        """Whether the bytes begin as a GGUF file does."""
        return MAGIC.startswith(self._head)

    def restart(self, version: Version) -> None:
        """Forgets all bytes; those to come are of this version."""
        self._hashing.wait()
        self._writing.wait()
        self._note.unlink(missing_ok=True)
        self._file.truncate(0)
        self.size = 0
        self.version = version
        self._digest = hashlib.sha256()
        self._head = b""
        if version.validator is not None:
            note = {"source": self._source, "boot": _boot(), **asdict(version)}
            fresh = _fresh(self._note)
            fresh.write_text(json.dumps(note), encoding="utf-8")
            fresh.replace(self._note)

    def append(self, data: bytes) -> None:
        """Adds bytes at the end; returns before they are there.

        Raises:
            OSError: those before them cannot be written.
        """
        self._writing.put(data)
        self._count(data)

    def discard(self) -> None:
        """Removes the file and its note."""
        remove_partial(self.path)

    def publish(self, path: Path, mode: int) -> None:
        """Gives the file its final name; it is on disk by then.

        Raises:
            OSError: it cannot be written.
        """
        self._writing.wait()
        self._flushing.wait()
        self._file.close()
        self.path.chmod(mode)
        flush(self.path)
        self.path.replace(path)
        flush(path.parent)
        remove_partial(self.path)

    def _count(self, data: bytes) -> None:
        self._head = (self._head + data)[: len(MAGIC)] if len(self._head) < len(MAGIC) else self._head
        self._hashing.put(data)
        self.size += len(data)

    def _hash(self, data: bytes) -> None:
        self._digest.update(data)

    def _write(self, data: bytes) -> None:
        # The kernel may take a part of it, and say only when asked again that the disk is full.
        while data:
            written = self._file.write(data)
            self._unflushed += written
            data = data[written:]
        if self._unflushed >= _FLUSH_EVERY:
            self._unflushed = 0
            self._flushing.put(b"")

    def _flush(self, _: bytes) -> None:
        os.fdatasync(self._file.fileno())

    def _noted(self) -> Version | None:
        try:
            note = json.loads(self._note.read_text(encoding="utf-8"))
            ours = note.pop("source") == self._source and note.pop("boot") == _boot()
            return Version(**note) if ours else None
        except (OSError, ValueError, TypeError, KeyError, AttributeError):
            return None


def remove_partial(path: Path) -> None:
    """Removes a partial file, if there is one, and what was noted about it."""
    note = _note(path)
    for file in (path, note, _fresh(note)):
        file.unlink(missing_ok=True)


def flush(path: Path) -> None:
    """Waits until a file's content, or a folder's list of files, is on disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _note(path: Path) -> Path:
    return path.with_name(f"{path.name}.json")


def _fresh(note: Path) -> Path:
    return note.with_name(f"{note.name}.new")


def _boot() -> str:
    return _BOOT_ID.read_text(encoding="ascii")
