"""Requests over time, and figures as text."""

import pytest

from e2e.report.formats import number, percent
from e2e.report.series import bins, steps_of, width
from e2e.report.tests.making import request


def test_requests_are_counted_in_the_stretch_that_they_were_scheduled_in() -> None:
    sent = [request(at, at) for at in (1.0, 2.5, 4.5)] + [request(3.0, status=429), request(20.0)]
    first, second = bins(sent, 0, 6, 3)
    assert [(one.begin, one.end, one.middle) for one in (first, second)] == [(0, 3, 1.5), (3, 6, 4.5)]
    assert [one.rate for one in (first, second)] == [2 / 3, 2 / 3]
    assert first.latency
    assert second.latency
    assert (first.latency.p50, first.latency.p99, second.latency.p99) == (1.0, 2.5, 4.5)


def test_a_rest_of_a_moment_is_no_stretch_with_a_rate_of_a_thousand() -> None:
    found = bins([request(10.002)], 0, 10.001, 1)
    assert len(found) == 10
    assert max(one.rate for one in found) == 0
    found = bins([request(10.0005)], 0, 10.001, 1)
    assert 0.99 < found[-1].rate < 1


def test_a_time_without_answers_has_no_latency() -> None:
    assert [one.latency for one in bins([request(0.5, status=503)], 0, 2, 1)] == [None, None]


@pytest.mark.parametrize(
    ("seconds", "expected"), [(30, 1), (61, 2), (600, 10), (1800, 30), (3600, 60), (9000, 180)]
)
def test_a_graph_has_sixty_stretches_at_most_and_of_a_round_width(seconds: float, expected: float) -> None:
    assert width(seconds) == expected


def test_each_value_is_a_step() -> None:
    assert steps_of([3, 1, 2, 2]) == ([1, 2, 2, 3], [0.25, 0.5, 0.75, 1])


@pytest.mark.parametrize(
    ("value", "expected"),
    [(None, "\N{EN DASH}"), (0, "0"), (0.0999999, "0.100"), (0.012345, "0.0123"), (1, "1.00"), (99.96, "100"),
     (12345.6, "12,300"), (-0.5, "-0.500"), (1e-9, "0.00000000100")],
)  # fmt: skip
def test_figures_have_three_digits(value: float | None, expected: str) -> None:
    assert number(value) == expected


@pytest.mark.parametrize(
    ("share", "expected"), [(1, "100 %"), (0.99999, "99.9 %"), (0.5, "50 %"), (0, "0 %"), (0.123, "12.3 %")]
)
def test_a_hundred_percent_means_all(share: float, expected: str) -> None:
    assert percent(share) == expected
