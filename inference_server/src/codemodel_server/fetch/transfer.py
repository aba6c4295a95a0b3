"""One file over HTTP, with retries that resume."""

import hashlib
import random
import re
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

import httpx

from codemodel_server.fetch.errors import (
    NetworkFailed,
    NoSpace,
    NotFound,
    NotGGUF,
    RefusedSource,
    Unauthorized,
)
from codemodel_server.fetch.progress import Progress
from codemodel_server.fetch.source import refuse_downgrade

MAGIC = b"GGUF"
_TIMEOUT = httpx.Timeout(30.0, connect=10.0)
# Attempts that bring nothing, one after another, before giving up: with the pauses below, about a minute.
_ATTEMPTS = 6
_FIRST_PAUSE_SECONDS = 1.0
_LONGEST_PAUSE_SECONDS = 30.0
_LONGEST_RETRY_AFTER_SECONDS = 120.0
_WORTH_RETRYING = {408, 425, 429}
_CONTENT_RANGE = re.compile(r"bytes (\d+)-(\d+)/(\d+|\*)")


class _TryAgainError(Exception):
    """This attempt failed in a way that may pass.

    Args:
        message: what happened.
        after: seconds to wait that the server asked for.
    """

    def __init__(self, message: str, after: float | None = None) -> None:
        super().__init__(message)
        self.after = after


@dataclass(slots=True)
class _State:
    """What is on disk so far, and of which version of the file."""

    file: BinaryIO
    offset: int = 0
    head: bytes = b""
    total: int | None = None
    etag: str | None = None
    validator: str | None = None
    digest: "hashlib._Hash" = field(default_factory=hashlib.sha256)

    def restart(self) -> None:
        self.file.seek(0)
        self.file.truncate()
        self.offset = 0
        self.head = b""
        self.total = self.etag = self.validator = None
        self.digest = hashlib.sha256()


@dataclass(frozen=True, slots=True)
class Received:
    """A complete file.

    Attributes:
        size: bytes.
        sha256: of its content, hexadecimal.
        etag: the server's name for this version, if it gave one.
    """

    size: int
    sha256: str
    etag: str | None


class Transfer:
    """Downloads one file.

    Args:
        url: http:// or https://.
        token: sent as a bearer token to the URL's own host only, or None.
        progress: told how it gets on.
        sleep: waits that many seconds.
        jitter: a random number from 0 to 1, so that pods which failed together do not return together.
    """

    def __init__(
        self,
        url: httpx.URL,
        token: str | None,
        progress: Progress,
        sleep: Callable[[float], None] = time.sleep,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._url = url
        self._token = token
        self._progress = progress
        self._sleep = sleep
        self._jitter = jitter

    def receive(self, path: Path) -> Received:
        """Writes the file at `path`, over what is there.

        Raises:
            FetchError: it cannot be had.
            OSError: it cannot be written.
        """
        # httpx takes Authorization away when a redirect leaves the host.
        headers = {"Accept-Encoding": "identity", "User-Agent": "codemodel-fetch"}
        if self._token:
            headers["Authorization"] = f"Bearer {self._token}"
        hooks = {"request": [lambda request: refuse_downgrade(self._url, request.url)]}
        with (
            path.open("wb") as file,
            httpx.Client(
                headers=headers, timeout=_TIMEOUT, follow_redirects=True, event_hooks=hooks
            ) as client,
        ):
            state = _State(file)
            self._until_complete(client, state, path)
            return Received(state.offset, state.digest.hexdigest(), state.etag)

    def _until_complete(self, client: httpx.Client, state: _State, path: Path) -> None:
        failures = furthest = 0
        while True:
            try:
                self._attempt(client, state, path)
            except httpx.UnsupportedProtocol as error:
                raise RefusedSource(f"{self._url} redirects to what is not http or https: {error}") from error
            except httpx.TooManyRedirects as error:
                raise NetworkFailed(f"{self._url} redirects in circles: correct the source") from error
            except (httpx.TransportError, _TryAgainError) as error:
                failures = 1 if state.offset > furthest else failures + 1
                furthest = max(furthest, state.offset)
                self._pause(error, failures)
            else:
                return

    def _pause(self, error: Exception, failures: int) -> None:
        reason = str(error) or type(error).__name__
        if failures >= _ATTEMPTS:
            message = (
                f"{self._url}: {reason}, {failures} times in a row: check that the server can be reached"
            )
            raise NetworkFailed(message) from error
        longest = min(_LONGEST_PAUSE_SECONDS, _FIRST_PAUSE_SECONDS * 2 ** (failures - 1))
        seconds = longest * (0.5 + self._jitter() / 2)
        if isinstance(error, _TryAgainError) and error.after is not None:
            seconds = min(error.after, _LONGEST_RETRY_AFTER_SECONDS)
        self._progress.event("retry", f"{reason}; trying again in {seconds:.1f} s", seconds=round(seconds, 1))
        self._sleep(seconds)

    def _attempt(self, client: httpx.Client, state: _State, path: Path) -> None:
        if state.validator is None:
            # Without a name for the version, what is here and what comes may be of two files.
            state.restart()
        resume: dict[str, str] = {}
        if state.offset and state.validator:
            resume = {"Range": f"bytes={state.offset}-", "If-Range": state.validator}
        with client.stream("GET", self._url, headers=resume) as response:
            self._accept(response, state)
            _check_space(path, state)
            # As the chunks come: gathering them into larger ones would lose those of a connection that breaks.
            for chunk in response.iter_raw():
                _append(state, chunk)
                self._progress.bytes(state.offset, state.total)
        if state.total is not None and state.offset < state.total:
            raise _TryAgainError(f"the connection broke off at {state.offset} of {state.total} bytes")
        if state.offset < len(MAGIC):
            raise NotGGUF(f"{self._url} has only {state.offset} bytes: give the URL of a GGUF model")

    def _accept(self, response: httpx.Response, state: _State) -> None:
        """Looks at status and headers before any byte of the body."""
        status = response.status_code
        match status:
            case 200:
                state.restart()
                length = response.headers.get("Content-Length", "")
                state.total = int(length) if length.isdigit() else None
                state.etag = response.headers.get("ETag")
                strong = state.etag if state.etag and not state.etag.startswith("W/") else None
                state.validator = strong or response.headers.get("Last-Modified")
            case 206:
                if not _continues(response.headers.get("Content-Range", ""), state):
                    state.restart()
                    raise _TryAgainError("the server sent another part of the file than was asked for")
            case 416:
                state.restart()
                raise _TryAgainError("the server refuses to continue")
            case 401 | 403:
                hint = "has another token" if self._token else "has one"
                raise Unauthorized(
                    f"the server answered {status} for {self._url}: check that the Secret in secretRef {hint}"
                )
            case 404 | 410:
                raise NotFound(f"the server answered {status} for {self._url}: check the model's source")
            case _ if status >= 500 or status in _WORTH_RETRYING:
                raise _TryAgainError(f"the server answered {status}", _retry_after(response))
            case _:
                raise NetworkFailed(
                    f"the server answered {status} for {self._url}, which is no file: check the model's source"
                )


def _append(state: _State, chunk: bytes) -> None:
    state.head = (state.head + chunk)[: len(MAGIC)] if state.offset < len(MAGIC) else state.head
    if not MAGIC.startswith(state.head):
        kind = "an HTML page" if chunk.lstrip()[:1] == b"<" else "something else"
        raise NotGGUF(f"the source is not a GGUF model but {kind}: give the URL of the file itself")
    if state.total is not None and state.offset + len(chunk) > state.total:
        state.restart()
        raise _TryAgainError("the server sent more than it announced")
    state.file.write(chunk)
    state.digest.update(chunk)
    state.offset += len(chunk)


def _continues(content_range: str, state: _State) -> bool:
    """Whether a part begins where the file on disk ends, and belongs to a file of the same size."""
    match = _CONTENT_RANGE.fullmatch(content_range.strip())
    if match is None or int(match[1]) != state.offset:
        return False
    return match[3] == "*" or state.total is None or int(match[3]) == state.total


def _retry_after(response: httpx.Response) -> float | None:
    value = response.headers.get("Retry-After", "")
    return float(value) if value.isdigit() else None


def _check_space(path: Path, state: _State) -> None:
    if state.total is None:
        return
    free = shutil.disk_usage(path.parent).free
    needed = state.total - state.offset
    if needed > free:
        message = (
            f"the model needs {needed} bytes more and {path.parent} has {free} free: make the cache larger"
        )
        raise NoSpace(message)
