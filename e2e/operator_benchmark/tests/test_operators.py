from collections import Counter
from collections.abc import Callable, Iterator
from os import getpid

import pytest

from e2e.operator_benchmark.operators import (
    BenchmarkError,
    peak_mebibytes,
    peak_of,
    samples,
    settle,
    writes,
)

OURS = """\
# TYPE codemodel_operator_api_requests_total counter
codemodel_operator_api_requests_total{method="get",kind="CodeModel"} 3.0
codemodel_operator_api_requests_total{method="patch",kind="Service"} 2.0
"""
THEIRS = """\
# TYPE rest_client_requests_total counter
rest_client_requests_total{code="200",host="127.0.0.1:1",method="GET"} 5
rest_client_requests_total{code="404",host="127.0.0.1:1",method="GET"} 2
rest_client_requests_total{code="201",host="127.0.0.1:1",method="POST"} 3
# TYPE controller_runtime_reconcile_total counter
controller_runtime_reconcile_total{controller="inferenceservice",result="success"} 7
controller_runtime_reconcile_total{controller="inferenceservice",result="error"} 1
controller_runtime_reconcile_total{controller="model",result="success"} 100
"""


def test_samples_by_the_labels_asked_for() -> None:
    assert samples(OURS, "codemodel_operator_api_requests_total", ("method", "kind")) == {
        "get CodeModel": 3,
        "patch Service": 2,
    }


def test_samples_that_differ_in_other_labels_are_added_up() -> None:
    assert samples(THEIRS, "rest_client_requests_total", ("method",)) == {"GET": 7, "POST": 3}


def test_samples_of_another_controller_are_left_out() -> None:
    found = samples(THEIRS, "controller_runtime_reconcile_total", (), controller="inferenceservice")
    assert found.total() == 8


@pytest.mark.parametrize(
    ("counted", "expected"),
    [
        (Counter({"get CodeModel": 3, "patch Service": 2, "post Event": 1}), 3),
        (Counter({"GET": 7, "POST": 3, "PUT": 4}), 7),
        (Counter[str](), 0),
    ],
)
def test_what_is_no_read_is_a_write(counted: Counter[str], expected: int) -> None:
    assert writes(counted) == expected


def test_peak_is_the_high_water_mark_in_mebibytes() -> None:
    assert peak_mebibytes("Name:\tmanager\nVmPeak:\t 9999 kB\nVmHWM:\t  2048 kB\nVmRSS:\t 1024 kB\n") == 2.0


def test_a_process_that_has_ended_has_no_peak() -> None:
    with pytest.raises(BenchmarkError, match="has ended"):
        peak_mebibytes("Name:\tmanager\nState:\tZ (zombie)\n")


def test_peak_of_a_process_of_this_machine() -> None:
    assert peak_of(getpid()) > 1


class Clock:
    """Time passes only while somebody pauses."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def now(self) -> float:
        return self.seconds

    def pause(self, seconds: float) -> None:
        self.seconds += seconds


def counts(values: Iterator[int]) -> Callable[[], Counter[str]]:
    return lambda: Counter({"get": next(values)})


def test_settles_eight_seconds_after_the_last_request() -> None:
    clock = Clock()
    assert settle(counts(min(number, 10) for number in range(1, 1000)), clock.now, clock.pause) == 10.0
    assert clock.seconds == 18.0


def test_an_operator_that_never_rests_is_given_up() -> None:
    clock = Clock()
    with pytest.raises(BenchmarkError, match="does anyone else use the cluster"):
        settle(counts(iter(range(1000))), clock.now, clock.pause)
