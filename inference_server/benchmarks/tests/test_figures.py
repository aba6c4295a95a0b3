import json

import pytest

from e2e.benchmark import percentile
from inference_server.benchmarks.cases import CASES
from inference_server.benchmarks.figures import Goal, line, medians

LESS = Goal("gap, p99", "s", "llama-server", 0.5)
MORE = Goal("4 streams", "tokens/s", "llama-server", 1.0, at_least=True, noise=0.03)
NONE_CUT = Goal("4 streams, cut short", "answers", None, 0)


def test_percentiles_are_values_that_were_measured() -> None:
    values = [5.0, 1.0, 4.0, 2.0, 3.0]
    assert [percentile(values, percent) for percent in (0, 50, 80, 99, 100)] == [1.0, 3.0, 4.0, 5.0, 5.0]
    assert percentile(list(map(float, range(1, 201))), 99) == 198.0
    with pytest.raises(ValueError, match="no values"):
        percentile([], 50)


def test_medians_are_taken_figure_by_figure() -> None:
    assert medians([{"a": 1.0, "b": 7.0}, {"a": 3.0}, {"a": 2.0}]) == {"a": 2.0, "b": 7.0}


def test_a_line_has_the_form_of_every_benchmark() -> None:
    assert json.loads(line(LESS, {"gap, p99": 0.123456}, {"gap, p99": 1.0})) == {
        "bench": "server",
        "case": "gap, p99, llama-server",
        "unit": "s",
        "ours": 0.1235,
        "theirs": 1.0,
        "ratio": 0.1235,
        "target": 0.5,
        "ok": True,
    }


@pytest.mark.parametrize(
    ("goal", "ours", "theirs", "met"),
    [
        (LESS, 0.5, 1.0, True),
        (LESS, 0.51, 1.0, False),
        (MORE, 1.2, 1.0, True),
        (MORE, 0.98, 1.0, True),
        (MORE, 0.96, 1.0, False),
        (MORE, 1.0, 0.0, False),
    ],
)
def test_a_ratio_meets_its_target_or_not(goal: Goal, ours: float, theirs: float, met: bool) -> None:
    assert json.loads(line(goal, {goal.figure: ours}, {goal.figure: theirs}))["ok"] is met


@pytest.mark.parametrize(("cut", "met"), [(0, True), (1, False)])
def test_without_a_peer_the_figure_itself_counts(cut: float, met: bool) -> None:
    found = json.loads(line(NONE_CUT, {NONE_CUT.figure: cut}, None))
    assert (found["theirs"], found["ratio"], found["ok"]) == (None, None, met)


def test_goals_compare_with_peers_that_are_measured() -> None:
    for case in CASES:
        assert {goal.peer for goal in case.goals} - {None} <= set(case.peers)
