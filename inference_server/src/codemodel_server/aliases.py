"""Our metrics under the names that llama-server and vLLM use, so that their dashboards and scalers understand us."""

from collections.abc import Callable, Iterator

from prometheus_client import CollectorRegistry
from prometheus_client.metrics_core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector

from codemodel_server.engines.base import Activity

_HISTOGRAMS = {
    "vllm:time_to_first_token_seconds": "codemodel_time_to_first_token_seconds",
    "vllm:inter_token_latency_seconds": "codemodel_inter_token_seconds",
    "vllm:time_per_output_token_seconds": "codemodel_inter_token_seconds",
    "vllm:e2e_request_latency_seconds": "codemodel_request_duration_seconds",
}
_COUNTERS = {
    "vllm:prompt_tokens": "codemodel_prompt_tokens",
    "vllm:generation_tokens": "codemodel_generated_tokens",
    "vllm:prefix_cache_queries": "codemodel_prompt_tokens",
    "vllm:prefix_cache_hits": "codemodel_cached_prompt_tokens",
    "llamacpp:prompt_seconds": "codemodel_prompt_seconds",
    "llamacpp:tokens_predicted": "codemodel_generated_tokens",
    "llamacpp:tokens_predicted_seconds": "codemodel_generation_seconds",
}
_GAUGES = {
    "vllm:num_requests_running": "codemodel_requests_running",
    "vllm:num_requests_waiting": "codemodel_requests_waiting",
    "llamacpp:requests_processing": "codemodel_requests_running",
    "llamacpp:requests_deferred": "codemodel_requests_waiting",
}
_FINISHED = ("stop", "length")


class Aliases(Collector):
    """Reads a registry's `codemodel_*` metrics and the engine's activity whenever it is collected.

    Args:
        registry: where ours are.
        activity: what the engine does now.
    """

    def __init__(self, registry: CollectorRegistry, activity: Callable[[], Activity]) -> None:
        self._registry = registry
        self._activity = activity

    def describe(self) -> Iterator[Metric]:
        """Nothing: the registry need not collect in order to register."""
        return iter(())

    def collect(self) -> Iterator[Metric]:
        """The metrics under their other names."""
        ours = self._ours()
        for name, source in _HISTOGRAMS.items():
            yield _histogram(name, ours[source])
        for name, source in _COUNTERS.items():
            yield CounterMetricFamily(name, _as(source), value=_value(ours[source]))
        for name, source in _GAUGES.items():
            yield GaugeMetricFamily(name, _as(source), value=_value(ours[source]))
        yield _finished(ours["codemodel_requests_ended"])
        yield from _throughput(ours)
        yield from _memory(self._activity())

    def _ours(self) -> dict[str, Metric]:
        # By name: the whole registry has this collector in it.
        names = {*_HISTOGRAMS.values(), *_COUNTERS.values(), *_GAUGES.values(), "codemodel_requests_ended"}
        samples = [name + end for name in names for end in ("", "_total", "_bucket", "_sum", "_count")]
        return {metric.name: metric for metric in self._registry.restricted_registry(samples).collect()}


def _histogram(name: str, source: Metric) -> Metric:
    buckets = [(s.labels["le"], s.value) for s in source.samples if s.name.endswith("_bucket")]
    (total,) = (s.value for s in source.samples if s.name.endswith("_sum"))
    return HistogramMetricFamily(name, _as(source.name), buckets=buckets, sum_value=total)


def _finished(source: Metric) -> Metric:
    family = CounterMetricFamily("vllm:request_success", _as(source.name), labels=["finished_reason"])
    for sample in source.samples:
        if sample.labels["reason"] in _FINISHED:
            family.add_metric([sample.labels["reason"]], sample.value)
    return family


def _throughput(ours: dict[str, Metric]) -> Iterator[Metric]:
    read = _value(ours["codemodel_prompt_tokens"]) - _value(ours["codemodel_cached_prompt_tokens"])
    # llama-server counts no tokens that its cache spared it.
    yield CounterMetricFamily("llamacpp:prompt_tokens", "Tokens of prompts that were read.", value=read)
    seconds = _value(ours["codemodel_prompt_seconds"])
    yield GaugeMetricFamily(
        "llamacpp:prompt_tokens_seconds",
        "Prompt tokens a second of reading, since the start.",
        value=_ratio(read, seconds),
    )
    generated = _value(ours["codemodel_generated_tokens"])
    seconds = _value(ours["codemodel_generation_seconds"])
    yield GaugeMetricFamily(
        "llamacpp:predicted_tokens_seconds",
        "Tokens a second of one answer's generation, since the start.",
        value=_ratio(generated, seconds),
    )


def _memory(activity: Activity) -> Iterator[Metric]:
    held = activity.cells_used + activity.cells_cached
    yield CounterMetricFamily(
        "llamacpp:n_decode", "How often the model was run.", value=activity.decode_calls
    )
    yield GaugeMetricFamily("llamacpp:kv_cache_tokens", "Tokens in the attention memory.", value=held)
    yield GaugeMetricFamily(
        "llamacpp:kv_cache_usage_ratio",
        "Share of the attention memory that holds tokens, those kept for later requests included.",
        value=_ratio(held, activity.cells),
    )
    yield GaugeMetricFamily(
        "vllm:kv_cache_usage_perc",
        "Share of the attention memory that running requests hold, from 0 to 1.",
        value=_ratio(activity.cells_used, activity.cells),
    )


def _as(name: str) -> str:
    return f"As {name}."


def _value(metric: Metric) -> float:
    return sum(sample.value for sample in metric.samples)


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole else 0.0
