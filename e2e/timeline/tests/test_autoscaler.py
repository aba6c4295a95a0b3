import pytest

from e2e.timeline.autoscaler import Value, crossing, recommendation


@pytest.mark.parametrize(
    ("current", "metrics", "replicas"),
    [
        (1, [(210, 70)], 3),
        (3, [(5, 70)], 1),
        (2, [(76, 70)], 2),
        (2, [(64, 70)], 2),
        (2, [(10, 70), (9.0, 2.0)], 9),
        (2, [(None, 70), (9.0, 2.0)], 9),
        (2, [(None, 70)], None),
        (None, [(70, 70)], None),
    ],
    ids=[
        "up",
        "down",
        "just above",
        "just below",
        "the larger of two",
        "the one that was seen",
        "none seen",
        "new",
    ],
)
def test_what_the_metrics_ask_for(
    current: int | None, metrics: list[tuple[float | None, float]], replicas: int | None
) -> None:
    facts = {"current": current, "metrics": [{"value": value, "target": target} for value, target in metrics]}
    assert recommendation(facts) == replicas


def test_a_metric_that_fell_again_has_not_crossed_for_good() -> None:
    seen = [Value(at, 70 * ratio, ratio) for at, ratio in [(1, 2.0), (2, 0.5), (3, 1.2), (4, 3.0), (9, 0.1)]]
    assert crossing(seen, after=0, until=5) == 3
    assert crossing(seen, after=3, until=5) == 4
    assert crossing(seen, after=0, until=9) is None
