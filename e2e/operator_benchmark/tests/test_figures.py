import json
from collections import Counter
from collections.abc import Sequence
from typing import Any

import pytest

from e2e.operator_benchmark import figures
from e2e.operator_benchmark.figures import Figure


def lines(ours: Sequence[Figure], theirs: Sequence[Figure] | None) -> list[dict[str, Any]]:
    return [json.loads(text) for text in figures.lines(ours, theirs)]


@pytest.mark.parametrize(("value", "ok"), [(1.0, True), (2.0, True), (2.1, False)])
def test_ours_beside_the_peers_figure_of_the_same_case(value: float, ok: bool) -> None:
    theirs = [Figure("other", "s", 9.0), Figure("case", "s", 4.0)]
    assert lines([Figure("case", "s", value, ratio=0.5)], theirs) == [
        {
            "bench": "operator",
            "case": "case",
            "unit": "s",
            "ours": value,
            "theirs": 4.0,
            "ratio": value / 4,
            "target": 0.5,
            "ok": ok,
        }
    ]


@pytest.mark.parametrize("theirs", [None, [Figure("other", "s", 1.0)]])
def test_without_a_peers_figure_nothing_is_judged(theirs: Sequence[Figure] | None) -> None:
    (found,) = lines([Figure("case", "s", 1.0, ratio=0.5)], theirs)
    assert [found[name] for name in ("theirs", "ratio", "target", "ok")] == [None] * 4


@pytest.mark.parametrize(("value", "ok"), [(0, True), (1, False)])
@pytest.mark.parametrize("theirs", [None, [Figure("case", "requests", 3000, limit=0)]])
def test_a_limit_holds_whatever_the_peer_does(
    value: float, ok: bool, theirs: Sequence[Figure] | None
) -> None:
    (found,) = lines([Figure("case", "requests", value, limit=0)], theirs)
    assert (found["target"], found["ok"]) == (0, ok)


def test_a_peer_that_needs_nothing_gives_no_ratio() -> None:
    (found,) = lines([Figure("case", "requests", 2, ratio=1.0)], [Figure("case", "requests", 0)])
    assert (found["theirs"], found["ratio"], found["ok"]) == (0, None, None)


def test_one_at_a_time_gives_median_and_99th_percentile() -> None:
    found = list(figures.one_at_a_time([number / 100 for number in range(1, 101)]))
    assert [(figure.case.rpartition(" ")[2], figure.value) for figure in found] == [
        ("median", 0.5),
        ("p99", 0.99),
    ]


def test_requests_are_those_of_one_custom_resource() -> None:
    counted = Counter({"get CodeModel": 10, "patch Service": 30})
    found = {figure.case: figure.value for figure in figures.at_once(2.0, 3.0, counted, 64.0, 10)}
    assert found == {
        "10 at once, until the last has its children": 2.0,
        "10 at once, until nothing is left to do": 3.0,
        "peak memory with 10": 64.0,
        "requests of a custom resource": 4.0,
        "writes of a custom resource": 3.0,
        "requests of a custom resource, get CodeModel": 1.0,
        "requests of a custom resource, patch Service": 3.0,
    }


def test_ours_is_told_beside_a_peer_that_never_rests() -> None:
    counted = Counter({"GET": 1})
    ours, theirs = (list(figures.at_once(1.0, rest, counted, 1.0, 5)) for rest in (2.0, None))
    (told,) = [found for found in lines(ours, theirs) if "until nothing is left to do" in found["case"]]
    assert (told["ours"], told["theirs"], told["ratio"]) == (2.0, None, None)


def test_every_case_of_the_peer_has_its_place_beside_ours() -> None:
    def cases(counted: Counter[str]) -> list[Figure]:
        return [
            *figures.one_at_a_time([1.0]),
            *figures.alone_one_at_a_time([1.0]),
            *figures.at_once(1.0, 1.0, counted, 1.0, 5),
            figures.edits([1.0], 5),
            *figures.resync(1, 100, 5),
            figures.alone_at_once(1.0, 5),
        ]

    ours, theirs = (
        cases(Counter({"get CodeModel": 1, "patch Service": 2})),
        cases(Counter({"GET": 1, "PUT": 2})),
    )
    assert {figure.case for figure in theirs} <= {figure.case for figure in ours}
    compared = [found for found in lines(ours, theirs) if found["theirs"] is not None]
    assert len(compared) == len(theirs)
