"""Figures of the last minutes."""

from codemodel_server.api.live import together, total
from codemodel_server.peers import Snapshot
from codemodel_server.recent import FIRST_TEXT_SECONDS, RATE_SECONDS, Recent, median


class Clock:
    """Time that passes when told."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


def replica(name: str, **figures: float) -> Snapshot:
    return Snapshot.model_validate({"replica": name, "status": "ready", **figures})


def test_the_rate_is_the_mean_of_the_last_seconds_and_falls_to_nothing() -> None:
    clock = Clock()
    recent = Recent(clock)
    for _ in range(RATE_SECONDS):
        recent.tokens(20)
        recent.tokens(10)
        clock.now += 1
    assert recent.tokens_per_second() == 30
    clock.now += RATE_SECONDS / 2
    assert recent.tokens_per_second() == 15
    clock.now += RATE_SECONDS
    assert recent.tokens_per_second() == 0


def test_old_first_tokens_are_forgotten() -> None:
    clock = Clock()
    recent = Recent(clock)
    assert median(recent.first_texts()) is None
    recent.first_text(9)
    clock.now += FIRST_TEXT_SECONDS + 1
    for seconds in (1, 2, 4):
        recent.first_text(seconds)
    assert median(recent.first_texts()) == 2


def test_all_replicas_together() -> None:
    busy = replica(
        "a", running=1, waiting=3, tokens_per_second=5, time_to_first_token_seconds=2, first_tokens=9
    )
    idle = replica("b", tokens_per_second=1, time_to_first_token_seconds=0.1, first_tokens=2)
    away = Snapshot(replica="10.0.0.3", status="unreachable")
    assert total([busy, idle, away]) == {
        "ready": 2,
        "desired": 3,
        "running": 1,
        "waiting": 3,
        "tokens_per_second": 6,
        "time_to_first_token_seconds": 2,
    }
    assert total([away])["time_to_first_token_seconds"] is None


def test_a_replica_knows_itself_best() -> None:
    before, now, other = replica("a", running=0), replica("a", running=1), replica("b")
    assert together(now, [other, before]) == [other, now]
    assert together(now, [other]) == [now, other]
