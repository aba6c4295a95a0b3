"""The last minutes of one server, for people who watch it: Prometheus' counters know only totals."""

import statistics
import threading
import time
from collections import deque
from collections.abc import Callable

# A few seconds smooth over the gaps between answers, and still move while one looks.
RATE_SECONDS = 10
FIRST_TEXT_SECONDS = 300
# More first texts than this in five minutes say no more about their median.
_MOST_FIRST_TEXTS = 1000


class Recent:
    """Tokens and times to first token of the last minutes; any thread may count and ask.

    Args:
        clock: seconds, monotonic.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        # Tokens by whole second, the oldest first; seldom more than RATE_SECONDS entries.
        self._tokens: deque[tuple[int, int]] = deque()
        self._first_texts: deque[tuple[float, float]] = deque(maxlen=_MOST_FIRST_TEXTS)

    def tokens(self, count: int) -> None:
        """Counts tokens generated now."""
        second = int(self._clock())
        with self._lock:
            if self._tokens and self._tokens[-1][0] == second:
                self._tokens[-1] = (second, self._tokens[-1][1] + count)
            else:
                self._forget(second)
                self._tokens.append((second, count))

    def first_text(self, seconds: float) -> None:
        """Notes that a request got its first text, so many seconds after it arrived."""
        with self._lock:
            self._first_texts.append((self._clock(), seconds))

    def tokens_per_second(self) -> float:
        """The mean over the last RATE_SECONDS whole seconds."""
        now = int(self._clock())
        with self._lock:
            self._forget(now)
            # The second that has just begun would pull the mean down.
            return sum(count for second, count in self._tokens if second < now) / RATE_SECONDS

    def first_texts(self) -> list[float]:
        """Times to first token of the last FIRST_TEXT_SECONDS, in seconds."""
        since = self._clock() - FIRST_TEXT_SECONDS
        with self._lock:
            return [seconds for at, seconds in self._first_texts if at >= since]

    def _forget(self, now: int) -> None:
        while self._tokens and self._tokens[0][0] < now - RATE_SECONDS:
            self._tokens.popleft()


def median(times: list[float]) -> float | None:
    """The median, or None of nothing."""
    return round(statistics.median(times), 6) if times else None
