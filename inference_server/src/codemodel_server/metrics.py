"""What Prometheus is told, in a registry of the server's own."""

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, disable_created_metrics

from codemodel_server.recent import Recent

# From a cached completion on a large machine to a long answer on two cores.
_SECONDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300)


class Metrics:
    """All metrics of one server, `codemodel_*`; times are in seconds.

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
        self.time_to_first_token = Histogram(
            "codemodel_time_to_first_token_seconds",
            "From a request's arrival to the first text of its answer, waiting included.",
            buckets=_SECONDS,
            registry=self.registry,
        )
        self.request_duration = Histogram(
            "codemodel_request_duration_seconds",
            "From a request's arrival to the end of its answer, waiting included.",
            buckets=_SECONDS,
            registry=self.registry,
        )
        self.prompt_tokens = Counter(
            "codemodel_prompt_tokens", "Tokens of the prompts of finished requests.", registry=self.registry
        )
        self.generated_tokens = Counter(
            "codemodel_generated_tokens", "Tokens generated.", registry=self.registry
        )
        self._running = Gauge("codemodel_requests_running", "Requests that generate.", registry=self.registry)
        self._waiting = Gauge("codemodel_requests_waiting", "Requests that wait.", registry=self.registry)
        self._info = Gauge(
            "codemodel_model_info", "The model served; always 1.", ["model", "engine"], registry=self.registry
        )

    def describe(self, model: str, engine: str) -> None:
        """Says which model is served by which engine."""
        self._info.labels(model, engine).set(1)

    def watch_queue(self, running: Callable[[], float], waiting: Callable[[], float]) -> None:
        """Reads these whenever the metrics are read."""
        self._running.set_function(running)
        self._waiting.set_function(waiting)
