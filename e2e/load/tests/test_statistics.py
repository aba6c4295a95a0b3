import itertools

import pytest

from e2e.load.results import Goodput, Request
from e2e.load.statistics import distribution, percentile, summarise

BOUNDS = Goodput(ttft_seconds=0.5, tpot_seconds=0.1)


def answered(scheduled: float, *times: float, tokens: int | None = None, replica: str = "a") -> Request:
    """A success whose pieces of text came at these times."""
    return Request(
        phase=0,
        scheduled=scheduled,
        sent=scheduled,
        first_token=times[0],
        last_token=times[-1],
        ended=times[-1],
        tokens=tokens or len(times),
        status=200,
        replica=replica,
        gaps=[after - before for before, after in itertools.pairwise(times)],
    )


def failed(status: int | None) -> Request:
    return Request(phase=0, scheduled=0, sent=0, ended=30, status=status, error="no")


def test_percentiles_are_nearest_rank() -> None:
    values = [float(n) for n in range(1, 101)]
    assert [percentile(values, p) for p in (1, 50, 90, 99, 100)] == [1, 50, 90, 99, 100]
    assert percentile([7.0], 50) == 7.0
    assert distribution([None]) is None


def test_times_are_of_successes_and_count_from_the_schedule() -> None:
    requests = [
        answered(1.0, 1.5, 2.0, 3.0),
        answered(2.0, 2.25, 2.5, replica="b"),
        failed(429),
        failed(None),
    ]
    summary = summarise(requests, begin=0, end=10, bounds=BOUNDS)
    assert (summary.requests, summary.success_rate) == (4, 0.5)
    assert summary.by_status == {"200": 2, "429": 1, "none": 1}
    assert summary.by_replica == {"a": 1, "b": 1}
    assert summary.latency
    assert (summary.latency.mean, summary.latency.p50, summary.latency.max) == (1.25, 0.5, 2.0)
    assert summary.ttft
    assert (summary.ttft.p50, summary.ttft.max) == (0.25, 0.5)
    assert summary.tpot
    assert (summary.tpot.p50, summary.tpot.max) == (0.25, 0.75)
    assert summary.inter_token
    assert (summary.inter_token.p50, summary.inter_token.max) == (0.5, 1.0)


def test_rates_count_the_time_until_the_last_answer() -> None:
    """Otherwise a queue that grows during the phase would look like throughput."""
    summary = summarise([answered(0, 1, 2), answered(9, 19, 20)], begin=0, end=10, bounds=BOUNDS)
    assert summary.achieved_rate == 2 / 20
    assert summary.tokens_per_second == 4 / 20
    assert summarise([answered(0, 1, 2)], begin=0, end=10, bounds=BOUNDS).achieved_rate == 1 / 10


@pytest.mark.parametrize(
    ("request_", "good"),
    [
        (answered(0, 0.5, 0.6), 1),
        (answered(0, 0.51, 0.6), 0),
        (answered(0, 0.1, 0.3), 0),
        (answered(0, 0.1), 1),
        (failed(429), 0),
    ],
)
def test_goodput_keeps_both_bounds(request_: Request, good: int) -> None:
    summary = summarise([request_], begin=0, end=2, bounds=BOUNDS)
    assert (summary.goodput_fraction, summary.goodput_rate) == (good, good / 2)


def test_answers_that_do_not_stream_have_no_goodput() -> None:
    whole = Request(phase=0, scheduled=0, sent=0, ended=1, tokens=5, status=200)
    summary = summarise([whole], begin=0, end=1, bounds=BOUNDS)
    assert (summary.goodput_fraction, summary.ttft, summary.tpot, summary.inter_token) == (None,) * 4
    assert summary.latency


@pytest.mark.parametrize("status", [429, 503, 500, None])
def test_only_a_full_queue_is_no_fault(status: int | None) -> None:
    assert failed(status).failed is (status != 429)
    assert not failed(status).succeeded
