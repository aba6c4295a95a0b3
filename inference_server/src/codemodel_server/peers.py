"""What the other replicas say of themselves: the only place where one replica asks another."""

import socket
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from functools import cached_property
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, ValidationError

if TYPE_CHECKING:
    import httpx

# As long as one look may take, name and answers together: who does not answer by then counts as not ready.
_ANSWER_SECONDS = 1.0
# However many people watch, replicas are asked once in this time.
_KEPT_SECONDS = 1.0
_MOST_PEERS = 64


class Snapshot(BaseModel):
    """A replica at a moment.

    Attributes:
        replica: its name, or its address if it does not answer.
        status: as in GET /ready, or "unreachable".
        running: requests that generate.
        waiting: requests that wait.
        tokens_per_second: over the last 10 seconds.
        time_to_first_token_seconds: the median over the last 5 minutes; None if there was no request.
        first_tokens: how many requests that median is of.
        memory_bytes: of its process (resident set); None where its kernel does not say.
        cpu_seconds: of processors, that its process has taken since it began; None where it does not answer.
    """

    model_config = ConfigDict(extra="ignore", allow_inf_nan=False)

    replica: str = Field(max_length=253)
    status: str = Field(max_length=32)
    running: int = Field(default=0, ge=0)
    waiting: int = Field(default=0, ge=0)
    tokens_per_second: float = Field(default=0.0, ge=0)
    time_to_first_token_seconds: float | None = Field(default=None, ge=0)
    first_tokens: int = Field(default=0, ge=0)
    memory_bytes: int | None = Field(default=None, ge=0)
    cpu_seconds: float | None = Field(default=None, ge=0)


def addresses(host: str, port: int) -> list[str]:
    """The URLs of the replicas that a name stands for, in a stable order.

    Raises:
        OSError: the name cannot be resolved now.
    """
    found = {str(entry[4][0]) for entry in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)}
    return [f"http://[{ip}]:{port}" if ":" in ip else f"http://{ip}:{port}" for ip in sorted(found)]


class Peers:
    """Asks all replicas at once, at most once a second.

    Args:
        resolve: the URLs of all replicas; may raise OSError.
        clock: seconds, monotonic.
    """

    def __init__(
        self, resolve: Callable[[], Sequence[str]], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._resolve = resolve
        self._clock = clock
        self._lock = threading.Lock()
        self._seen: list[Snapshot] | None = None
        self._seen_at = 0.0
        # One thread more than peers, for the name.
        self._threads = ThreadPoolExecutor(_MOST_PEERS + 1, thread_name_prefix="peers")

    def look(self) -> list[Snapshot]:
        """What the replicas said last; empty if their name cannot be resolved.

        It takes two seconds at worst. While one caller asks, the others get the look before.
        """
        seen = self._seen
        if seen is not None and (self._clock() - self._seen_at < _KEPT_SECONDS or self._lock.locked()):
            return seen
        with self._lock:
            if self._seen is None or self._clock() - self._seen_at >= _KEPT_SECONDS:
                self._seen = self._ask_all()
                self._seen_at = self._clock()
            return self._seen

    def _ask_all(self) -> list[Snapshot]:
        try:
            urls = self._threads.submit(self._resolve).result(_ANSWER_SECONDS)[:_MOST_PEERS]
        except (OSError, TimeoutError):
            return []
        asked: dict[Future[Snapshot], str] = {self._threads.submit(self._ask, url): url for url in urls}
        answered = wait(asked, _ANSWER_SECONDS).done
        return [answer.result() if answer in answered else _unreachable(url) for answer, url in asked.items()]

    @cached_property
    def _client(self) -> "httpx.Client":
        # Imported at the first look: whoever starts a replica need not wait for it.
        import httpx  # noqa: PLC0415

        # No connection is kept: replicas come and go between two looks.
        limits = httpx.Limits(max_keepalive_connections=0)
        return httpx.Client(timeout=_ANSWER_SECONDS, limits=limits, trust_env=False)

    def _ask(self, url: str) -> Snapshot:
        import httpx  # noqa: PLC0415

        try:
            return Snapshot.model_validate_json(self._client.get(f"{url}/live?self=1").content)
        except (httpx.HTTPError, ValidationError):
            return _unreachable(url)


def _unreachable(url: str) -> Snapshot:
    return Snapshot(replica=urlsplit(url).hostname or url, status="unreachable")
