import asyncio

import pytest

from e2e.load.results import Arrivals, Checks, Phase, Request
from e2e.load.scenario import Open, PhasePlan, Ramp
from e2e.load.statistics import summarise
from e2e.load.stress import broken, search
from e2e.load.tests.test_statistics import BOUNDS, answered, failed

RAMP = Ramp(
    first=1, step=3, last=30, seconds=60, success_below=0.95, latency_above_seconds=10, confirmations=3
)


class Target:
    """Breaks from a rate on, by refusing or by being slow; remembers what was tried."""

    def __init__(self, *, breaks_at: float, recovers_after: int = 1000, invalid_from: float = 1000) -> None:
        self.breaks_at, self.recovers_after, self.invalid_from = breaks_at, recovers_after, invalid_from
        self.tried: list[float] = []

    async def attempt(self, plan: PhasePlan) -> Phase:
        assert isinstance(plan.arrivals, Open)
        rate = plan.arrivals.rate
        self.tried.append(rate)
        breaks = rate >= self.breaks_at and len(self.tried) <= self.recovers_after
        requests = [failed(503) if breaks else answered(0, 1, 2)]
        return Phase(
            name=plan.name,
            begin=0,
            end=60,
            arrivals=Arrivals(kind="constant", rate=rate),
            summary=summarise(requests, 0, 60, BOUNDS),
            checks=Checks(schedule_delay_p99=0, loop_delay_p99=0, sent_fraction=1, cpu_fraction=0),
            valid=rate < self.invalid_from,
            problems=[],
        )


def test_the_rate_rises_until_it_breaks_and_both_sides_are_tried_three_times() -> None:
    target = Target(breaks_at=9)
    found = asyncio.run(search(RAMP, target.attempt))
    assert (found.last_good_rate, found.breaking_point_rate) == (7, 10)
    assert target.tried == [1, 4, 7, 10, 7, 10, 7, 10, 7, 10]
    assert [each.confirmed for each in found.confirmations] == [True] * 3
    assert "success 0.0%" in found.reason


def test_a_target_that_broke_by_chance_is_not_confirmed() -> None:
    found = asyncio.run(search(RAMP, Target(breaks_at=4, recovers_after=3).attempt))
    assert found.breaking_point_rate == 4
    assert [each.confirmed for each in found.confirmations] == [False] * 3


def test_a_target_that_breaks_at_once_has_no_good_rate() -> None:
    found = asyncio.run(search(RAMP, Target(breaks_at=0.5).attempt))
    assert (found.last_good_rate, found.breaking_point_rate) == (None, 1)
    assert [each.last_good_held for each in found.confirmations] == [None] * 3
    assert all(each.confirmed for each in found.confirmations)


def test_a_target_that_bears_everything_has_no_breaking_point() -> None:
    target = Target(breaks_at=1000)
    found = asyncio.run(search(RAMP, target.attempt))
    assert (found.last_good_rate, found.breaking_point_rate, found.confirmations) == (30, None, [])
    assert target.tried == [1, 4, 7, 10, 13, 16, 19, 22, 25, 28, 30]


def test_where_the_generator_was_the_bottleneck_nothing_is_said_of_the_target() -> None:
    found = asyncio.run(search(RAMP, Target(breaks_at=10, invalid_from=10).attempt))
    assert (found.last_good_rate, found.breaking_point_rate) == (7, None)
    assert "generator" in found.reason


@pytest.mark.parametrize(
    ("requests", "how"),
    [
        ([answered(0, 1)] * 95 + [failed(429)] * 5, None),
        ([answered(0, 1)] * 94 + [failed(429)] * 6, "success 94.0%"),
        ([answered(0, 10)] * 20, None),
        ([answered(0, 1)] * 90 + [answered(0, 11)] * 10, None),
        ([answered(0, 1)] * 89 + [answered(0, 11)] * 11, "latency 11.0 s"),
        ([failed(None)], "success 0.0%"),
        ([], None),
    ],
)
def test_a_step_breaks_by_success_or_by_latency(requests: list[Request], how: str | None) -> None:
    found = broken(summarise(requests, 0, 60, BOUNDS), RAMP)
    assert (found or "").startswith(how or "")
    assert (found is None) == (how is None)
