"""Where a stress run broke is judged anew."""

from typing import Any

import pytest

from e2e.load.results import Results
from e2e.report.breaking import Breaking, curve, judge, ramp_of, rate_of
from e2e.report.runs import Run
from e2e.report.sections.stress import verdict
from e2e.report.tests.making import benchmark, stress


def judged(results: Results) -> Breaking:
    ramp = ramp_of(results)
    assert ramp
    return judge(curve(Run("stress", "stress.json", results).parts), ramp)


def invalid(results: Results, *numbers: int) -> Results:
    phases = [
        phase.model_copy(update={"valid": number not in numbers})
        for number, phase in enumerate(results.phases)
    ]
    return results.model_copy(update={"phases": phases})


def test_the_first_rate_that_broke_is_the_breaking_point() -> None:
    assert judged(stress()) == Breaking(16, 9, "success 50.0%, below 95%", confirmed=4, tried_again=4)
    assert verdict(judged(stress())) == (
        "The breaking point is 16 requests/s (success 50.0%, below 95%); 9 requests/s were borne; "
        "of 4 more valid tries around it 4 came out the same."
    )


def test_rates_that_are_tried_again_are_no_part_of_the_curve() -> None:
    found = curve(Run("stress", "stress.json", stress()).parts)
    assert [rate_of(part) for part in found.search] == [2, 9, 16]
    assert [rate_of(part) for part in found.again] == [9, 16, 9, 16]


def test_slow_answers_break_it_too() -> None:
    def slower(request: Any) -> Any:
        late = request.scheduled + 11 if request.phase == 1 else request.ended
        return request.model_copy(update={"ended": late})

    made = stress((2, 9))
    made = made.model_copy(update={"requests": [slower(request) for request in made.requests]})
    assert judged(made).rate == 9
    assert judged(made).reason == "latency 11.0 s (p90), above 10 s"


@pytest.mark.parametrize(
    ("rates", "broken", "expected"),
    [
        ((2, 9), 99, "No breaking point was found up to 9 requests/s."),
        ((2,), 2, "The breaking point is 2 requests/s (success 50.0%, below 95%); no lower rate was borne; "
         "no valid tries confirm it."),
    ],
)  # fmt: skip
def test_no_breaking_point_and_no_good_rate_are_told(
    rates: tuple[float, ...], broken: float, expected: str
) -> None:
    assert verdict(judged(stress(rates, broken))) == expected


def test_what_the_generator_could_not_send_proves_nothing() -> None:
    assert judged(invalid(stress((2, 9, 16)), 2)) == Breaking(None, 9, None, confirmed=0, tried_again=0)
    assert judged(invalid(stress(), 3, 4)) == Breaking(
        16, 9, "success 50.0%, below 95%", confirmed=2, tried_again=2
    )


def test_another_outcome_at_a_second_try_is_counted() -> None:
    made = stress()
    better = [
        request.model_copy(update={"status": 200, "error": None}) if request.phase == 4 else request
        for request in made.requests
    ]
    assert judged(made.model_copy(update={"requests": better})).confirmed == 3


def test_limits_of_another_scenario_are_not_known() -> None:
    assert ramp_of(benchmark()) is None
    assert ramp_of(stress().model_copy(update={"scenario": "of-my-own"})) is None
