"""API keys: who is let in. The keys are read anew when their files change."""

import hashlib
import hmac
import threading
import time
from collections.abc import Callable
from pathlib import Path

from codemodel_server.logs import server_log

_LOOK_EVERY_SECONDS = 1.0
# Kubernetes swaps a link beside the files of a mounted Secret; hidden names are its own.
_HIDDEN = "."
State = tuple[tuple[str, int, int, int], ...]


class ApiKeys:
    """The keys of a file, or of all files in a folder: one a line, empty lines aside.

    If there is none, or they cannot be read, nobody is let in.

    Args:
        path: the file or folder.
        clock: seconds, monotonic.
    """

    def __init__(self, path: Path, clock: Callable[[], float] = time.monotonic) -> None:
        self._path = path
        self._clock = clock
        self._lock = threading.Lock()
        self._digests: tuple[bytes, ...] = ()
        self._state: State | None = None
        self._looked_at = -_LOOK_EVERY_SECONDS
        self._complaint = ""
        self._look()

    def knows(self, key: str) -> bool:
        """Whether the key is one of them. It takes as long for any key: all are looked at, whole."""
        with self._lock:
            if self._clock() - self._looked_at >= _LOOK_EVERY_SECONDS:
                self._look()
            digests = self._digests
        # The bytes of a header come as characters of Latin-1, and most clients write UTF-8 (PEP 3333).
        as_bytes = key.encode("latin-1", "replace").decode("utf-8", "surrogateescape")
        given = _digest(key), _digest(as_bytes)
        found = False
        for digest in digests:
            for each in given:
                found |= hmac.compare_digest(digest, each)
        return found

    def _look(self) -> None:
        self._looked_at = self._clock()
        try:
            files = _files(self._path)
            state = tuple(_state(file) for file in files)
            if state == self._state:
                return
            # A line is a key as it is: only what ends it is not part of it.
            texts = [file.read_text(encoding="utf-8-sig") for file in files]
        except (OSError, UnicodeDecodeError) as error:
            self._state, self._digests = None, ()
            self._complain(f"the API keys cannot be read: {error}: everybody is refused")
            return
        self._state = state
        self._digests = tuple(
            {_digest(line.strip()) for text in texts for line in text.splitlines() if line.strip()}
        )
        self._complain("" if self._digests else f"there is no API key in {self._path}: everybody is refused")

    def _complain(self, complaint: str) -> None:
        """Logs once what is wrong, for as long as it stays the same."""
        if complaint and complaint != self._complaint:
            server_log().error("%s", complaint)
        self._complaint = complaint


def key_of(authorization: str | None, x_api_key: str | None) -> str | None:
    """The key that a request brings, by its headers `Authorization: Bearer KEY` and `X-Api-Key: KEY`."""
    scheme, _, key = (authorization or "").strip().partition(" ")
    if scheme.lower() == "bearer" and key.strip():
        return key.strip()
    return (x_api_key or "").strip() or None


def _files(path: Path) -> list[Path]:
    if not path.is_dir():
        return [path]
    return sorted(file for file in path.iterdir() if not file.name.startswith(_HIDDEN) and file.is_file())


def _state(file: Path) -> tuple[str, int, int, int]:
    """What tells a file from what it was before, that a link now leads elsewhere included."""
    status = file.stat()
    return file.name, status.st_ino, status.st_mtime_ns, status.st_size


def _digest(key: str) -> bytes:
    """Of one length for all keys, so that not even their length shows."""
    return hashlib.sha256(key.encode("utf-8", "surrogateescape")).digest()
