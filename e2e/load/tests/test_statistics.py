import pytest

from e2e.load.statistics import Request, percentile, summarise


def test_percentiles_are_nearest_rank() -> None:
    values = [float(n) for n in range(1, 101)]
    assert [percentile(values, p) for p in (1, 50, 90, 99, 100)] == [1, 50, 90, 99, 100]
    assert percentile([7.0], 50) == 7.0
    assert percentile([], 99) is None


def test_a_summary_counts_by_status_and_replica_and_times_only_answers() -> None:
    requests = [
        Request(0, 0.2, 200, "a"),
        Request(0, 0.4, 200, "b"),
        Request(0, 0.3, 200, "a"),
        Request(0, 0.001, 429),
        Request(0, 30.0, None, error="ReadTimeout"),
    ]
    summary = summarise(requests)
    assert summary.requests == 5
    assert summary.by_status == {"200": 3, "429": 1, "none": 1}
    assert summary.by_replica == {"a": 2, "b": 1}
    assert (summary.p50, summary.p99) == (0.3, 0.4)


@pytest.mark.parametrize(
    ("status", "failed"), [(200, False), (429, False), (503, True), (500, True), (None, True)]
)
def test_only_an_answer_and_a_full_queue_are_no_failures(status: int | None, failed: bool) -> None:
    assert Request(0, 1, status).failed is failed
