"""A model's header over HTTP: its first megabytes, without the rest."""

import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import httpx

from codemodel_delivery.fetch.errors import NetworkFailed, NotFound, NotGGUF, RefusedSource, Unauthorized
from codemodel_delivery.fetch.response import may_pass, refuse_compressed
from codemodel_delivery.fetch.source import refuse_downgrade, shown
from codemodel_delivery.gguf.errors import HeaderUnavailable
from codemodel_delivery.gguf.header import Header, read_header

_FIRST_BLOCK = 1 << 18
_LARGEST_BLOCK = 1 << 22
# Of all blocks together: a vocabulary of 262,144 tokens with 514,906 merges takes 12 MB.
_MOST_BYTES = 16 << 20
# Whoever waits for the header has other things to do.
_SECONDS = 30.0
_CONTENT_RANGE = re.compile(r"bytes ([0-9]{1,18})-[0-9]+/([0-9]{1,18}|\*)")


def read_remote_header(
    url: httpx.URL, client: httpx.Client, *, clock: Callable[[], float] = time.monotonic
) -> Header:
    """Reads the header of the model at a URL, at most 16 MiB, in half a minute, without trying again.

    Args:
        url: of the file; redirects are followed, from encryption only to encryption.
        client: asks; with its headers, for example a token, and its timeouts.
        clock: seconds, monotonic.

    Raises:
        GGUFError: what is there is no model, or none that is served here.
        HeaderUnavailable: the server does not let it be read without the rest.
        FetchError: it cannot be had.
    """
    remote = _Remote(url, client, clock)
    try:
        with remote.opened() as size:
            return read_header(remote.read, size)
    except httpx.UnsupportedProtocol as error:
        message = f"{remote.name} redirects to what is not http or https: give the URL it should lead to"
        raise RefusedSource(message) from error
    except httpx.TooManyRedirects as error:
        raise NotFound(f"{remote.name} redirects in circles: correct the source") from error
    except httpx.HTTPError as error:
        reason = str(error) or type(error).__name__
        raise NetworkFailed(f"{remote.name}: {reason}: check that the server can be reached") from error


class _Remote:
    """A file behind a URL, read forward: part by part, or from one answer where the server sends no parts."""

    def __init__(self, url: httpx.URL, client: httpx.Client, clock: Callable[[], float]) -> None:
        self.name = shown(url)
        self._url = url
        self._client = client
        self._clock = clock
        self._end = clock() + _SECONDS
        self._left = _MOST_BYTES
        self._block = b""
        self._start = 0
        self._next_size = _FIRST_BLOCK
        self._version: tuple[str, str | None] | None = None
        self._whole: Iterator[bytes] | None = None

    @contextmanager
    def opened(self) -> Iterator[int]:
        """Asks for the beginning; gives the file's size in bytes."""
        with self._ask(0, self._next_size) as response:
            if response.status_code == 200:
                self._whole = response.iter_raw()
                yield self._size(response.headers.get("Content-Length", ""))
                return
            total = self._check_part(response, 0)
            self._receive(response.iter_raw(), min(self._next_size, total))
        yield total

    def read(self, offset: int, length: int) -> bytes:
        """Bytes of the file; offsets only grow."""
        if offset + length > self._start + len(self._block):
            if self._whole is not None:
                self._receive(self._whole, offset + length)
            else:
                self._next_size = min(2 * self._next_size, _LARGEST_BLOCK)
                self._ask_part(offset, max(length, self._next_size))
        start = offset - self._start
        return self._block[start : start + length]

    def _ask_part(self, offset: int, length: int) -> None:
        with self._ask(offset, length) as response:
            total = self._check_part(response, offset)
            self._block, self._start = b"", offset
            self._receive(response.iter_raw(), min(length, total - offset))

    @contextmanager
    def _ask(self, offset: int, length: int) -> Iterator[httpx.Response]:
        headers = {"Range": f"bytes={offset}-{offset + length - 1}", "Accept-Encoding": "identity"}
        with self._client.stream("GET", self._url, headers=headers, follow_redirects=True) as response:
            refuse_downgrade(self._url, response.url)
            self._check_status(response.status_code)
            refuse_compressed(response.headers, self.name)
            yield response

    def _check_status(self, status: int) -> None:
        match status:
            case 200 | 206:
                return
            case 401 | 403:
                raise Unauthorized(
                    f"{self.name} answered {status}: check the token in the Secret that secretRef names"
                )
            case 416:
                raise NotGGUF(f"{self.name} is empty: give the URL of a GGUF model")
            case _ if may_pass(status):
                raise NetworkFailed(f"{self.name} answered {status}: try again later")
            case _:
                raise NotFound(f"{self.name} answered {status}: check the model's source")

    def _check_part(self, response: httpx.Response, offset: int) -> int:
        """Whether it is the part that was asked for, of the same file as those before; returns the file's size."""
        match = _CONTENT_RANGE.fullmatch(response.headers.get("Content-Range", "").strip())
        if response.status_code != 206 or match is None or int(match[1]) != offset:
            raise NetworkFailed(
                f"{self.name}: the server sent another part of the file than was asked for: try again later"
            )
        version = match[2], response.headers.get("ETag")
        if self._version not in {None, version}:
            raise NetworkFailed(f"{self.name} changed while it was read: try again")
        self._version = version
        return self._size(match[2])

    def _size(self, text: str) -> int:
        if not re.fullmatch("[0-9]{1,18}", text):
            raise HeaderUnavailable(
                f"{self.name}: the server does not tell the file's size: serve it with Content-Length and ranges"
            )
        return int(text)

    def _receive(self, chunks: Iterator[bytes], length: int) -> None:
        """Adds to the block until it has so many bytes, and perhaps a few more."""
        parts = [self._block]
        received = len(self._block)
        while received < length:
            if self._clock() > self._end:
                raise NetworkFailed(
                    f"{self.name} did not send its header in {_SECONDS:.0f} s: try again later"
                )
            chunk = next(chunks, None)
            if chunk is None:
                raise NetworkFailed(f"{self.name}: the answer ended too early: try again later")
            self._left -= len(chunk)
            if self._left < 0:
                raise HeaderUnavailable(
                    f"{self.name} has a header of more than {_MOST_BYTES >> 20} MiB: give the memory yourself"
                )
            parts.append(chunk)
            received += len(chunk)
        self._block = b"".join(parts)
