"""What is read from a connection: an answer's headers in time, its body in pieces as large as they come."""

import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import suppress
from types import TracebackType
from typing import Any, Self

import httpcore
import httpx

from codemodel_delivery.fetch.response import TryAgainError

_LARGEST = 1 << 19


class AnswerLimit:
    """Breaks a request off whose headers, those of redirects included, take too long.

    httpx has only a limit between two reads, which a server keeps that sends one byte at a time.

    Use it as a context manager around the request, and call `met` when the headers are here.

    Args:
        seconds: for the headers.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._streams: list[httpcore.NetworkStream] = []
        self._late = False
        self._timer = threading.Timer(seconds, self._break_off)
        self._timer.daemon = True

    def __enter__(self) -> Self:
        self._timer.start()
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self.met()
        if self._late and isinstance(error, httpx.TransportError):
            raise TryAgainError(f"the server did not answer within {self._seconds:.0f} s") from error

    def met(self) -> None:
        """The headers are here."""
        self._timer.cancel()

    def trace(self, event: str, info: Mapping[str, Any]) -> None:
        """Takes note of connections; httpcore's `trace` extension calls it."""
        if event in {"connection.connect_tcp.complete", "connection.start_tls.complete"}:
            self._streams.append(info["return_value"])

    def _break_off(self) -> None:
        self._late = True
        for stream in self._streams:
            # A connection that is closed, or that TLS took over, has no socket any more.
            with suppress(OSError):
                stream.get_extra_info("socket").shutdown(socket.SHUT_RDWR)


def pieces(response: httpx.Response, timeout: float) -> Iterator[bytes]:
    """What the server sends, as it is sent; nothing is held back to make a piece larger.

    A body with a length is read from the connection itself: httpx reads 64 KiB at a time and copies them four times.

    Args:
        response: whose headers are read, and nothing else; over HTTP/1.1.
        timeout: seconds to wait for a piece.

    Raises:
        TransportError: the connection broke off, or nothing came for too long.
    """
    stream = response.extensions.get("network_stream")
    length = response.headers.get("Content-Length")
    body = response.iter_raw()
    if stream is None or length is None or "Transfer-Encoding" in response.headers:
        yield from body
        return
    # What came together with the headers: httpx hands out all that it has before it reads again.
    first = next(body, b"")
    yield first
    left = int(length) - len(first)
    while left > 0:
        try:
            piece = stream.read(min(left, _LARGEST), timeout)
        except httpcore.TimeoutException as error:
            raise httpx.ReadTimeout(f"nothing came for {timeout:.0f} s") from error
        except httpcore.NetworkError as error:
            raise httpx.ReadError(str(error)) from error
        if not piece:
            raise httpx.RemoteProtocolError(f"the connection broke off with {left} bytes to come")
        left -= len(piece)
        yield piece
