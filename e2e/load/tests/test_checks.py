import pytest

from e2e.load.checks import check, problems
from e2e.load.results import Checks, Request
from e2e.load.statistics import summarise
from e2e.load.tests.test_statistics import BOUNDS, answered

QUICK = summarise([answered(0, 0.4, 2)], 0, 2, BOUNDS)
SLOW = summarise([answered(0, 2, 9)], 0, 9, BOUNDS)
NOTHING = summarise([], 0, 1, BOUNDS)


def sent(*, late: float, scheduled: float = 0.0) -> Request:
    return Request(
        phase=0, scheduled=scheduled, sent=scheduled + late, ended=scheduled + late + 1, status=200
    )


def test_delays_are_those_of_the_slowest_percent() -> None:
    requests = [sent(late=0.001), *[sent(late=0.5)] * 2, *[sent(late=0.001)] * 97]
    checks = check(requests, end=10, loop_delays=[0.002] * 200, cpu_fraction=0.1, closed=False)
    assert checks == Checks(schedule_delay_p99=0.5, loop_delay_p99=0.002, sent_fraction=1.0, cpu_fraction=0.1)
    assert len(problems(checks, QUICK)) == 1


def test_what_is_sent_after_the_end_was_not_sent_at_the_asked_rate() -> None:
    requests = [sent(late=0.0, scheduled=at) for at in range(9)] + [sent(late=5.0, scheduled=9)]
    assert check(requests, 10, [], 0.0, closed=False).sent_fraction == 0.9
    assert check(requests, 10, [], 0.0, closed=True).sent_fraction is None


def test_a_phase_without_requests_has_nothing_to_check() -> None:
    checks = check([], 10, [], 0.0, closed=False)
    assert (checks.schedule_delay_p99, checks.sent_fraction, problems(checks, NOTHING)) == (None, None, [])


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"schedule_delay_p99": 0.06}, "sent late"),
        ({"loop_delay_p99": 0.06}, "did not get to run"),
        ({"sent_fraction": 0.94}, "of the asked rate"),
        ({"cpu_fraction": 0.91}, "of its CPU"),
    ],
)
def test_each_bound_is_held(change: dict[str, float], words: str) -> None:
    fine = {"schedule_delay_p99": 0.05, "loop_delay_p99": 0.05, "sent_fraction": 0.95, "cpu_fraction": 0.9}
    assert problems(Checks.model_validate(fine), QUICK) == []
    [problem] = problems(Checks.model_validate({**fine, **change}), QUICK)
    assert words in problem


def test_a_delay_counts_beside_what_was_measured() -> None:
    """A tenth of the time to the first token is borne, where that is more than 50 ms."""
    for delay, valid in ((0.2, True), (0.21, False)):
        checks = Checks(schedule_delay_p99=delay, loop_delay_p99=None, sent_fraction=1, cpu_fraction=0)
        assert (problems(checks, SLOW) == []) is valid
        assert problems(checks, QUICK)
        assert problems(checks, NOTHING)
