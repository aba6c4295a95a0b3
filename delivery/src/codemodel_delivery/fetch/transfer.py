"""One file over HTTP, with retries that resume."""

import random
import re
import shutil
import time
from collections.abc import Callable

import httpx

from codemodel_delivery.fetch.errors import (
    NetworkFailed,
    NoSpace,
    NotFound,
    NotGGUF,
    RefusedSource,
    Unauthorized,
)
from codemodel_delivery.fetch.partial import MAGIC, Partial, Version
from codemodel_delivery.fetch.progress import Progress
from codemodel_delivery.fetch.source import refuse_downgrade, shown

_TIMEOUT = httpx.Timeout(30.0, connect=10.0)
# Attempts without progress, one after another, before giving up: with the pauses below, half a minute at the least.
_ATTEMPTS = 6
# What counts as progress, of an attempt and of this time within one: less than 1 KiB/s is a server that holds us.
_PROGRESS_BYTES = 1 << 16
_SLOW_SECONDS = 64.0
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


class Transfer:
    """Downloads one file.

    Args:
        url: http:// or https://.
        token: sent as a bearer token to the URL's own host only, or None.
        progress: told how it gets on.
        sleep: waits that many seconds.
        jitter: a random number from 0 to 1, so that pods which failed together do not return together.
        clock: seconds, monotonic.
    """

    def __init__(
        self,
        url: httpx.URL,
        token: str | None,
        progress: Progress,
        *,
        sleep: Callable[[float], None] = time.sleep,
        jitter: Callable[[], float] = random.random,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._url = url
        self._token = token
        self._progress = progress
        self._sleep = sleep
        self._jitter = jitter
        self._clock = clock

    def receive(self, partial: Partial) -> None:
        """Completes a download, from where it is.

        Raises:
            FetchError: it cannot be had.
            OSError: it cannot be written.
        """
        # httpx takes Authorization away when a redirect leaves the host.
        headers = {"Accept-Encoding": "identity", "User-Agent": "codemodel-fetch"}
        if self._token:
            headers["Authorization"] = f"Bearer {self._token}"
        hooks = {"request": [lambda request: refuse_downgrade(self._url, request.url)]}
        if partial.size:
            self._progress.event(
                "resuming", f"going on with a download of which {partial.size} bytes are here"
            )
        with httpx.Client(
            headers=headers, timeout=_TIMEOUT, follow_redirects=True, event_hooks=hooks
        ) as client:
            self._until_complete(client, partial)

    def _until_complete(self, client: httpx.Client, partial: Partial) -> None:
        failures = furthest = 0
        while not partial.complete:
            try:
                self._attempt(client, partial)
            except httpx.UnsupportedProtocol as error:
                message = f"{shown(self._url)} redirects to what is not http or https: give the URL it should lead to"
                raise RefusedSource(message) from error
            except httpx.TooManyRedirects as error:
                raise NotFound(f"{shown(self._url)} redirects in circles: correct the source") from error
            except (httpx.TransportError, _TryAgainError) as error:
                failures = 1 if partial.size >= furthest + _PROGRESS_BYTES else failures + 1
                furthest = max(furthest, partial.size)
                self._pause(error, failures)
            else:
                return

    def _pause(self, error: Exception, failures: int) -> None:
        reason = str(error) or type(error).__name__
        if failures >= _ATTEMPTS:
            message = f"{shown(self._url)}: {reason}, {failures} times in a row: check that the server can be reached"
            raise NetworkFailed(message) from error
        longest = min(_LONGEST_PAUSE_SECONDS, _FIRST_PAUSE_SECONDS * 2 ** (failures - 1))
        seconds = longest * (0.5 + self._jitter() / 2)
        if isinstance(error, _TryAgainError) and error.after is not None:
            seconds = min(error.after, _LONGEST_RETRY_AFTER_SECONDS)
        self._progress.event("retry", f"{reason}; trying again in {seconds:.1f} s", seconds=round(seconds, 1))
        self._sleep(seconds)

    def _attempt(self, client: httpx.Client, partial: Partial) -> None:
        asked: dict[str, str] = {}
        if partial.size and partial.version.validator:
            asked = {"Range": f"bytes={partial.size}-", "If-Range": partial.version.validator}
        with client.stream("GET", self._url, headers=asked) as response:
            self._accept(response, partial, resuming=bool(asked))
            _check_space(partial)
            since, before = self._clock(), partial.size
            # As the chunks come: gathering them into larger ones would lose those of a connection that breaks.
            for chunk in response.iter_raw():
                self._append(partial, chunk)
                self._progress.bytes(partial.size, partial.version.total)
                if self._clock() - since >= _SLOW_SECONDS:
                    if partial.size - before < _PROGRESS_BYTES:
                        raise _TryAgainError(
                            f"only {partial.size - before} bytes came in {_SLOW_SECONDS:.0f} s"
                        )
                    since, before = self._clock(), partial.size
        total = partial.version.total
        if total is not None and partial.size < total:
            raise _TryAgainError(f"the connection broke off at {partial.size} of {total} bytes")
        if partial.size < len(MAGIC):
            raise NotGGUF(f"{shown(self._url)} has only {partial.size} bytes: give the URL of a GGUF model")

    def _accept(self, response: httpx.Response, partial: Partial, *, resuming: bool) -> None:
        """Looks at status and headers before any byte of the body."""
        status = response.status_code
        url = shown(self._url)
        match status:
            case 200 | 206:
                coding = response.headers.get("Content-Encoding", "identity")
                if coding != "identity":
                    raise NotGGUF(
                        f"{url} is sent compressed ({coding}): give a URL that serves the file as it is"
                    )
                if status == 200:
                    partial.restart(_version(response.headers))
                elif not resuming or not _continues(response.headers, partial):
                    partial.restart(Version())
                    raise _TryAgainError("the server sent another part of the file than was asked for")
            case 416:
                partial.restart(Version())
                raise _TryAgainError("the server refuses to continue")
            case 401 | 403:
                hint = "has another token" if self._token else "has one"
                raise Unauthorized(f"{url} answered {status}: check that the Secret in secretRef {hint}")
            case 404 | 410:
                raise NotFound(f"{url} answered {status}: check the model's source")
            case _ if status >= 500 or status in _WORTH_RETRYING:
                raise _TryAgainError(f"the server answered {status}", _retry_after(response))
            case _:
                raise NotFound(f"{url} answered {status}, which is no file: check the model's source")

    def _append(self, partial: Partial, chunk: bytes) -> None:
        total = partial.version.total
        if total is not None and partial.size + len(chunk) > total:
            partial.restart(Version())
            raise _TryAgainError("the server sent more than it announced")
        partial.append(chunk)
        if not partial.may_be_gguf:
            kind = "an HTML page" if chunk.lstrip()[:1] == b"<" else "something else"
            raise NotGGUF(
                f"{shown(self._url)} is not a GGUF model but {kind}: give the URL of the file itself"
            )


def _version(headers: httpx.Headers) -> Version:
    length, etag = headers.get("Content-Length", ""), headers.get("ETag")
    strong = etag if etag and not etag.startswith("W/") else None
    return Version(
        total=int(length) if length else None, etag=etag, validator=strong or headers.get("Last-Modified")
    )


def _continues(headers: httpx.Headers, partial: Partial) -> bool:
    """Whether a part begins where the file on disk ends, and belongs to the same version of it."""
    match = _CONTENT_RANGE.fullmatch(headers.get("Content-Range", "").strip())
    if match is None or int(match[1]) != partial.size:
        return False
    if match[3] != "*" and partial.version.total not in {None, int(match[3])}:
        return False
    return headers.get("ETag") in {None, partial.version.etag}


def _retry_after(response: httpx.Response) -> float | None:
    value = response.headers.get("Retry-After", "")
    return float(value) if re.fullmatch("[0-9]+", value) else None


def _check_space(partial: Partial) -> None:
    if partial.version.total is None:
        return
    folder = partial.path.parent
    free = shutil.disk_usage(folder).free
    needed = partial.version.total - partial.size
    if needed > free:
        raise NoSpace(
            f"the model needs {needed} bytes more and {folder} has {free} free: make the cache larger"
        )
