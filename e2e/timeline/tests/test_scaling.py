import pytest

from e2e.timeline.entries import MARK, Entry
from e2e.timeline.scaling import LOAD_BEGINS, LOAD_ENDS, UP_SECONDS, Expectation, down_seconds, violations

EXPECTED = Expectation("scaler", cooldown=30, most=3)
BEGIN, END = 1000.0, 1080.0


def replicas(*values: tuple[float, int]) -> list[Entry]:
    return [Entry(at, "Deployment", "scaler", "MODIFIED", {"replicas": n}) for at, n in values]


def use(at: float, current: int, percent: int | None) -> Entry:
    facts = {"current": current, "metrics": [{"value": percent, "target": 70}]}
    return Entry(at, "HorizontalPodAutoscaler", "scaler", "MODIFIED", facts)


def event(reason: str = "SuccessfulRescale") -> Entry:
    facts = {"about": "HorizontalPodAutoscaler/scaler", "reason": reason}
    return Entry(BEGIN + 31, "Event", "scaler.1", "ADDED", facts)


MARKS = [Entry(BEGIN, MARK, LOAD_BEGINS, "ADDED"), Entry(END, MARK, LOAD_ENDS, "ADDED")]
GOOD = [*replicas((990, 1), (1030, 3), (1130, 1)), use(1095, 3, 180), use(1110, 3, 5)]


def judge(*entries: Entry) -> list[str]:
    return violations(sorted([*MARKS, *entries], key=lambda entry: entry.at), EXPECTED)


def test_up_after_the_load_began_and_down_after_the_cooldown_is_right() -> None:
    assert judge(*GOOD, event()) == []


def test_two_steps_each_way_are_right() -> None:
    assert judge(*replicas((990, 1), (1030, 2), (1060, 3), (1125, 2), (1140, 1)), event()) == []


@pytest.mark.parametrize(
    ("values", "problem"),
    [
        ([(990, 1), (995, 2), (1030, 3), (1130, 1)], "1 → 2 at -5.0 s: changed before the load began"),
        ([(990, 1)], "never scaled up"),
        ([(990, 1), (BEGIN + UP_SECONDS + 1, 2), (1130, 1)], "scaled up later than"),
        ([(990, 1), (1030, 2), (1130, 1)], "reached 2 replicas under load, not 3"),
        ([(990, 1), (1030, 3), (1050, 2), (1130, 1)], "3 → 2 at +50.0 s: scaled down while the load held"),
        ([(990, 1), (1030, 3)], "never came back to 1"),
        ([(990, 1), (1030, 3), (1130, 2)], "never came back to 1"),
        ([(990, 1), (1030, 3), (1090, 1)], "scaled down earlier than the cooldown"),
        ([(990, 1), (1030, 3), (END + down_seconds(30) + 1, 1)], "came back later than"),
        ([(990, 1), (1030, 3), (1125, 2), (1140, 3), (1155, 1)], "2 → 3 at +60.0 s: scaled up again"),
    ],
)
def test_what_is_wrong_is_said(values: list[tuple[float, int]], problem: str) -> None:
    assert problem in "\n".join(judge(*replicas(*values), event()))


def test_the_cooldown_counts_from_the_last_use_that_needed_all_replicas() -> None:
    # 30 s after the load's end, but a look 20 s before still saw the load.
    found = judge(*replicas((990, 1), (1030, 3), (1110, 1)), use(1090, 3, 180), event())
    assert found == ["3 → 1 at +20.0 s: scaled down within 30 s of a use that needed all replicas"]


@pytest.mark.parametrize("percent", [5, 40, None])
def test_a_use_that_needs_fewer_replicas_starts_no_cooldown(percent: int | None) -> None:
    assert judge(*replicas((990, 1), (1030, 3), (1110, 1)), use(1105, 3, percent), event()) == []


@pytest.mark.parametrize("events", [[], [event("FailedGetResourceMetric")]])
def test_a_rescale_that_nobody_is_told_of_is_wrong(events: list[Entry]) -> None:
    assert judge(*GOOD, *events) == ["no SuccessfulRescale event"]
