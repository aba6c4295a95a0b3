"""Reads the headers of models over HTTP, a few MiB at most, before anything is scheduled for them."""

import asyncio
import logging
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import httpx

from codemodel_delivery.fetch.errors import FetchError, NetworkFailed
from codemodel_delivery.fetch.guard import GuardedTransport
from codemodel_delivery.fetch.source import parse_source
from codemodel_delivery.gguf.errors import HeaderUnavailable
from codemodel_delivery.gguf.header import Header
from codemodel_delivery.gguf.remote import read_remote_header

from .resources.download import Downloads

logger = logging.getLogger(__name__)

_KEPT_SECONDS = 300.0
"""A header is known for so long: many CodeModels may have the same source."""

_AWAY_SECONDS = 30.0
"""That there is none to be had is known for so long: hubs come back."""

_PAUSES = (0.5, 1.0, 2.0)
"""Seconds before a hub that cannot be reached is asked again: a Service whose first pod has just become ready
refuses connections for a moment, and what is decided without a header stays decided."""

_PATIENCE = 5.0
"""A hub that let this many seconds pass is not asked again: others wait for the thread."""

_MOST_KEPT = 64
_WAIT_SECONDS = 15.0
"""A hub that is slower holds no reconcile up: it goes on without the header."""

_READERS = 4
_TIMEOUT = httpx.Timeout(5.0)


class HeaderReader:
    """Implements `reconcile.Headers`; each source is read once at a time, however many ask."""

    def __init__(
        self,
        downloads: Downloads,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._downloads = downloads
        self._clock = clock
        self._sleep = sleep
        self._known: dict[str, tuple[float, asyncio.Future[Header | None]]] = {}
        self._threads = ThreadPoolExecutor(_READERS, thread_name_prefix="headers")

    async def read(self, source: str) -> Header | None:
        """See `reconcile.Headers`."""
        now = self._clock()
        since, reading = self._known.get(source, (now, None))
        if reading is None or now >= since + _lifetime(reading):
            reading = asyncio.get_running_loop().run_in_executor(self._threads, self._fetch, source)
            self._known.pop(source, None)
            self._known[source] = (now, reading)
            if len(self._known) > _MOST_KEPT:
                del self._known[next(iter(self._known))]
        try:
            return await asyncio.wait_for(asyncio.shield(reading), _WAIT_SECONDS)
        except TimeoutError:
            return None

    def _fetch(self, source: str) -> Header | None:
        hub = {"HF_ENDPOINT": self._downloads.hub_endpoint} if self._downloads.hub_endpoint else {}
        transport = GuardedTransport(allow_private=self._downloads.allow_private)
        try:
            with httpx.Client(transport=transport, timeout=_TIMEOUT, follow_redirects=True) as client:
                return self._ask(parse_source(source, hub), client)
        except (FetchError, HeaderUnavailable, httpx.HTTPError) as error:
            # The download says the same, in a place where people look.
            logger.info("Header not read", extra={"event": {"reason": str(error) or type(error).__name__}})
            return None

    def _ask(self, url: httpx.URL, client: httpx.Client) -> Header:
        end = self._clock() + _PATIENCE
        for pause in _PAUSES:
            try:
                return read_remote_header(url, client)
            except NetworkFailed:
                if self._clock() + pause > end:
                    raise
            self._sleep(pause)
        return read_remote_header(url, client)


def _lifetime(reading: asyncio.Future[Header | None]) -> float:
    known_away = reading.done() and reading.exception() is None and reading.result() is None
    return _AWAY_SECONDS if known_away else _KEPT_SECONDS
