"""One file over HTTP, with retries that resume."""

import random
import shutil
import time
from collections.abc import Callable

import httpx

from codemodel_delivery.fetch.connection import AnswerLimit, pieces
from codemodel_delivery.fetch.errors import (
    NetworkFailed,
    NoSpace,
    NotFound,
    NotGGUF,
    RefusedSource,
    TooLarge,
)
from codemodel_delivery.fetch.partial import MAGIC, Partial, Version
from codemodel_delivery.fetch.progress import Progress
from codemodel_delivery.fetch.response import Body, TryAgainError, body_of, version_of
from codemodel_delivery.fetch.source import refuse_downgrade, shown

_READ_SECONDS = 30.0
_TIMEOUT = httpx.Timeout(_READ_SECONDS, connect=10.0)
# Attempts without progress, one after another, before giving up: with the pauses below, half a minute at the least.
_ATTEMPTS = 6
# What counts as progress, of an attempt and of this time within one: less than 1 KiB/s is a server that holds us.
_PROGRESS_BYTES = 1 << 16
_SLOW_SECONDS = 64.0
_FIRST_PAUSE_SECONDS = 1.0
_LONGEST_PAUSE_SECONDS = 30.0
_LONGEST_RETRY_AFTER_SECONDS = 120.0
_ANSWER_SECONDS = 60.0
_DEADLINE_SECONDS = 6 * 3600.0


class Transfer:
    """Downloads one file.

    Args:
        url: http:// or https://.
        token: sent as a bearer token to the URL's own host only, or None.
        progress: told how it gets on.
        transport: makes the connections; None takes httpx's own.
        longest: most bytes that the file may have, or None.
        patience: seconds that an answer's headers may take.
        deadline: seconds that `receive` may take; what is here by then is kept for the next try.
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
        transport: httpx.BaseTransport | None = None,
        longest: int | None = None,
        patience: float = _ANSWER_SECONDS,
        deadline: float = _DEADLINE_SECONDS,
        sleep: Callable[[float], None] = time.sleep,
        jitter: Callable[[], float] = random.random,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._url = url
        self._token = token
        self._progress = progress
        self._transport = transport
        self._longest = longest
        self._patience = patience
        self._deadline = deadline
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
            headers=headers,
            timeout=_TIMEOUT,
            follow_redirects=True,
            event_hooks=hooks,
            transport=self._transport,
        ) as client:
            self._until_complete(client, partial)

    def _until_complete(self, client: httpx.Client, partial: Partial) -> None:
        failures = furthest = 0
        ends = self._clock() + self._deadline
        while not partial.complete:
            try:
                self._attempt(client, partial, ends)
            except httpx.UnsupportedProtocol as error:
                message = f"{shown(self._url)} redirects to what is not http or https: give the URL it should lead to"
                raise RefusedSource(message) from error
            except httpx.TooManyRedirects as error:
                raise NotFound(f"{shown(self._url)} redirects in circles: correct the source") from error
            except (httpx.TransportError, TryAgainError) as error:
                failures = 1 if partial.size >= furthest + _PROGRESS_BYTES else failures + 1
                furthest = max(furthest, partial.size)
                self._pause(error, failures, ends)
            else:
                return

    def _pause(self, error: Exception, failures: int, ends: float) -> None:
        reason = str(error) or type(error).__name__
        if failures >= _ATTEMPTS:
            message = f"{shown(self._url)}: {reason}, {failures} times in a row: check that the server can be reached"
            raise NetworkFailed(message) from error
        longest = min(_LONGEST_PAUSE_SECONDS, _FIRST_PAUSE_SECONDS * 2 ** (failures - 1))
        seconds = longest * (0.5 + self._jitter() / 2)
        if isinstance(error, TryAgainError) and error.after is not None:
            seconds = max(seconds, min(error.after, _LONGEST_RETRY_AFTER_SECONDS))
        self._check_time(ends - seconds)
        self._progress.event("retry", f"{reason}; trying again in {seconds:.1f} s", seconds=round(seconds, 1))
        self._sleep(seconds)

    def _attempt(self, client: httpx.Client, partial: Partial, ends: float) -> None:
        asked: dict[str, str] = {}
        if partial.size and partial.version.validator:
            asked = {"Range": f"bytes={partial.size}-", "If-Range": partial.version.validator}
        with (
            AnswerLimit(self._patience) as limit,
            client.stream("GET", self._url, headers=asked, extensions={"trace": limit.trace}) as response,
        ):
            limit.met()
            self._accept(response, partial)
            self._check_size(partial.version.total)
            _check_space(partial)
            since, before = self._clock(), partial.size
            for chunk in pieces(response, _READ_SECONDS):
                self._append(partial, chunk)
                self._progress.bytes(partial.size, partial.version.total)
                if self._clock() - since >= _SLOW_SECONDS:
                    if partial.size - before < _PROGRESS_BYTES:
                        raise TryAgainError(
                            f"only {partial.size - before} bytes came in {_SLOW_SECONDS:.0f} s"
                        )
                    since, before = self._clock(), partial.size
                    self._check_time(ends)
        total = partial.version.total
        if total is not None and partial.size < total:
            raise TryAgainError(f"the connection broke off at {partial.size} of {total} bytes")
        if partial.size < len(MAGIC):
            raise NotGGUF(f"{shown(self._url)} has only {partial.size} bytes: give the URL of a GGUF model")

    def _accept(self, response: httpx.Response, partial: Partial) -> None:
        size = partial.size if "Range" in response.request.headers else 0
        match body_of(response, self._url, size, partial.version, with_token=bool(self._token)):
            case Body.WHOLE:
                partial.restart(version_of(response.headers))
            case Body.USELESS:
                partial.restart(Version())
                raise TryAgainError("the server sent another part of the file than was asked for")

    def _check_time(self, ends: float) -> None:
        if self._clock() >= ends:
            hours = f"{self._deadline / 3600:.3g} h"
            raise NetworkFailed(
                f"{shown(self._url)} did not come within {hours}: check the server's speed, or start again to go on"
            )

    def _check_size(self, size: int | None) -> None:
        if self._longest is not None and size is not None and size > self._longest:
            raise TooLarge(
                f"{shown(self._url)} has {size} bytes or more, and {self._longest} are allowed: "
                "give a smaller model, or raise --max-size, which in a CodeModel is spec.resources.limits.memory"
            )

    def _append(self, partial: Partial, chunk: bytes) -> None:
        total = partial.version.total
        if total is not None and partial.size + len(chunk) > total:
            partial.restart(Version())
            raise TryAgainError("the server sent more than it announced")
        self._check_size(partial.size + len(chunk))
        partial.append(chunk)
        if not partial.may_be_gguf:
            kind = "an HTML page" if chunk.lstrip()[:1] == b"<" else "something else"
            raise NotGGUF(
                f"{shown(self._url)} is not a GGUF model but {kind}: give the URL of the file itself"
            )


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
