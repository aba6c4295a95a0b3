"""What Prometheus is told, in a registry of the server's own.

What happens is counted once, under our names; `codemodel_server.aliases` repeats it under those of llama-server and
vLLM when it is read. docs/metrics.md says what each means.
"""

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, disable_created_metrics

from codemodel_server.aliases import Aliases
from codemodel_server.engines.base import Activity
from codemodel_server.engines.events import Finish
from codemodel_server.recent import Recent

# From a cached completion on a large machine to a long answer on two cores.
_SECONDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300)
# From a tiny model to a stream that stands still.
_GAP_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.25, 0.5, 1, 2.5, 5, 10)
_ENDS = ("stop", "length", "cancelled", "deadline", "shutdown", "failed")


class Metrics:
    """All metrics of one server; times are in seconds.

    Attributes:
        recent: the last minutes, for people who watch.
    """

    def __init__(self) -> None:
        self.recent = Recent()
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "codemodel_requests",
            "Answers by route and HTTP status.",
            ["route", "status"],
            registry=self.registry,
        )
        self.queue_refusals = self._counter("queue_refusals", "Requests refused because too many waited.")
        self.time_to_first_token = self._histogram(
            "time_to_first_token_seconds",
            "From a request's arrival to the first text of its answer, waiting included.",
            _SECONDS,
        )
        self.inter_token = self._histogram(
            "inter_token_seconds", "From one token of an answer to its next.", _GAP_SECONDS
        )
        self.request_duration = self._histogram(
            "request_duration_seconds",
            "From a request's arrival to the end of its answer, waiting included.",
            _SECONDS,
        )
        self.prompt_tokens = self._counter("prompt_tokens", "Tokens of the prompts of finished requests.")
        self.cached_prompt_tokens = self._counter(
            "cached_prompt_tokens", "Those of them that had been read for an earlier request."
        )
        self.generated_tokens = self._counter("generated_tokens", "Tokens generated.")
        self.prompt_seconds = self._counter(
            "prompt_seconds", "Time in which the prompts of finished requests were read."
        )
        self.generation_seconds = self._counter(
            "generation_seconds", "Time from the first to the last token of finished requests."
        )
        ended = Counter(
            "codemodel_requests_ended",
            "Requests that were taken, by how they ended.",
            ["reason"],
            registry=self.registry,
        )
        self._ended = {reason: ended.labels(reason) for reason in _ENDS}
        self._running = Gauge("codemodel_requests_running", "Requests that generate.", registry=self.registry)
        self._waiting = Gauge("codemodel_requests_waiting", "Requests that wait.", registry=self.registry)
        self._info = Gauge(
            "codemodel_model_info", "The model served; always 1.", ["model", "engine"], registry=self.registry
        )

    def describe(self, model: str, engine: str) -> None:
        """Says which model is served by which engine."""
        self._info.labels(model, engine).set(1)

    def watch(
        self, running: Callable[[], int], waiting: Callable[[], int], activity: Callable[[], Activity]
    ) -> None:
        """Reads these whenever the metrics are read."""
        self._running.set_function(running)
        self._waiting.set_function(waiting)
        self.registry.register(Aliases(self.registry, activity))

    def first_text(self, seconds: float) -> None:
        """Notes that a request got its first text, so many seconds after it arrived."""
        self.time_to_first_token.observe(seconds)
        self.recent.first_text(seconds)

    def ended(self, reason: str) -> None:
        """Notes how a request ended."""
        self._ended[reason].inc()

    def meter(self) -> "Meter":
        """What counts one answer."""
        return Meter(self)

    def _counter(self, name: str, documentation: str) -> Counter:
        return Counter(f"codemodel_{name}", documentation, registry=self.registry)

    def _histogram(self, name: str, documentation: str, buckets: tuple[float, ...]) -> Histogram:
        return Histogram(f"codemodel_{name}", documentation, buckets=buckets, registry=self.registry)


class Meter:
    """Counts an answer's tokens as they come, so that the metrics move during an answer and know of cut ones.

    Args:
        metrics: where to count.
    """

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._counted = 0
        self._last: float | None = None

    def text(self, tokens: int, now: float) -> None:
        """Counts tokens that came together at this moment, in seconds of a monotonic clock."""
        self._counted += tokens
        self._metrics.generated_tokens.inc(tokens)
        self._metrics.recent.tokens(tokens)
        if self._last is not None:
            self._metrics.inter_token.observe(now - self._last)
        self._last = now

    def finish(self, end: Finish) -> None:
        """Counts what is known at the end only."""
        metrics = self._metrics
        uncounted = max(0, end.completion_tokens - self._counted)
        metrics.generated_tokens.inc(uncounted)
        metrics.recent.tokens(uncounted)
        metrics.prompt_tokens.inc(end.prompt_tokens)
        metrics.cached_prompt_tokens.inc(end.cached_tokens)
        metrics.prompt_seconds.inc(end.prefill_seconds)
        metrics.generation_seconds.inc(end.decode_seconds)
        metrics.ended(end.reason)
