"""Sends one request to ``POST /chat`` and times its answer."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from e2e.load.results import Request

MAX_PAUSE_SECONDS = 1.0
"""Longest wait after a 429, so that closed loops stay closed whatever Retry-After says."""

AWAY_PAUSE_SECONDS = 0.1
"""Pause of a closed client whose connection failed: a target that is away refuses faster than anybody should ask."""

_MAX_TEXT = 200
_DONE = "done"


@dataclass
class Answer:
    """What came of an answer so far, and when."""

    status: int | None = None
    first_token: float | None = None
    last_token: float | None = None
    gaps: list[float] = field(default_factory=list)
    tokens: int | None = None
    replica: str | None = None
    error: str | None = "the answer ended before it was complete"
    pause: float = 0.0

    def piece(self, at: float) -> None:
        """A piece of text came."""
        if self.last_token is None:
            self.first_token = at
        else:
            self.gaps.append(round(at - self.last_token, 6))
        self.last_token = at

    def complete(self, body: dict[str, Any]) -> None:
        """The answer, or the stream's last event, came.

        Raises:
            LookupError, TypeError, ValueError: it is not one of ``/chat``.
        """
        self.tokens = int(body["usage"]["completion_tokens"])
        self.replica = _text(body["replica"]) if body.get("replica") else None
        self.error = None

    def event(self, data: dict[str, Any], at: float) -> None:
        """An event of the stream came.

        Raises:
            LookupError, TypeError, ValueError: it is not one of ``/chat``.
        """
        if "error" in data:
            self.error = _text(data["error"]["message"])
        elif data.get(_DONE):
            self.complete(data)
        elif data["token"]:
            self.piece(at)


def connect(api_key: str | None = None) -> aiohttp.ClientSession:
    """Return a session that keeps no connection: a kept one would stay with its replica, and a new one get nothing."""
    headers = {"Authorization": f"Bearer {api_key}"} if api_key else {}
    # No proxy of the environment: it would be measured, too.
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0, force_close=True), headers=headers, trust_env=False
    )


class Client:
    """Sends requests.

    Args:
        session: from :func:`connect`.
        target: base URL, checked.
        stream: whether answers come piece by piece.
        max_tokens: of an answer.
        timeout_seconds: until the answer has to be complete.
        clock: seconds since the run started.
    """

    def __init__(
        self,
        session: aiohttp.ClientSession,
        target: str,
        *,
        stream: bool,
        max_tokens: int,
        timeout_seconds: float,
        clock: Callable[[], float],
    ) -> None:
        self._session, self._url, self._clock = session, f"{target}/chat", clock
        self._stream, self._max_tokens = stream, max_tokens
        self._timeout_seconds = timeout_seconds

    async def send(self, phase: int, scheduled: float, prompt: str) -> tuple[Request, float]:
        """Send a request; return how it ended, and how many seconds to wait before the next one.

        The wait is for closed clients: what the server asks for after a 429, or a moment after a failed connection.

        Never raises for what the network or the server does: that is part of the result.
        """
        answer, sent = Answer(), self._clock()
        try:
            await self._exchange(answer, prompt)
        except TimeoutError:
            answer.error = f"not complete within {self._timeout_seconds:g} s"
        except (aiohttp.ClientError, OSError) as error:
            answer.error = _text(f"{type(error).__name__}: {error}")
            answer.pause = AWAY_PAUSE_SECONDS
        except (ValueError, LookupError, TypeError, AttributeError):
            answer.error = "not an answer of POST /chat"
        request = Request(
            phase=phase,
            scheduled=round(scheduled, 6),
            sent=round(sent, 6),
            first_token=_rounded(answer.first_token),
            last_token=_rounded(answer.last_token),
            ended=round(self._clock(), 6),
            tokens=answer.tokens,
            status=answer.status,
            replica=answer.replica,
            error=answer.error,
            gaps=answer.gaps,
        )
        return request, answer.pause

    async def _exchange(self, answer: Answer, prompt: str) -> None:
        body = {"prompt": prompt, "max_tokens": self._max_tokens, "stream": self._stream}
        timeout = aiohttp.ClientTimeout(total=self._timeout_seconds)
        async with self._session.post(
            self._url, json=body, timeout=timeout, allow_redirects=False
        ) as response:
            answer.status = response.status
            if response.status != 200:
                answer.error = f"HTTP {response.status}"
                answer.pause = min(_seconds(response.headers.get("Retry-After")), MAX_PAUSE_SECONDS)
                await response.read()
            elif self._stream:
                await self._read_events(answer, response.content)
            else:
                answer.complete(json.loads(await response.read()))

    async def _read_events(self, answer: Answer, content: aiohttp.StreamReader) -> None:
        # By chunks as they come, not by lines: every event of a chunk came at the chunk's time.
        rest = b""
        async for chunk in content.iter_any():
            at = self._clock()
            *lines, rest = (rest + chunk).split(b"\n")
            for line in lines:
                if line.startswith(b"data:"):
                    answer.event(json.loads(line[5:]), at)


def _rounded(at: float | None) -> float | None:
    return None if at is None else round(at, 6)


def _text(said: object) -> str:
    """What can be written to a file, and is not too long for it."""
    return str(said)[:_MAX_TEXT].encode("utf-8", "replace").decode()


def _seconds(header: str | None) -> float:
    """Retry-After in seconds; 0 if it is left out, or a date."""
    try:
        return max(float(header or 0), 0.0)
    except ValueError:
        return 0.0
