from random import Random

from e2e.load.results import Replica, Request, Sample
from e2e.load.soak import judge

HOUR = 3600.0
MEMORY = 400_000_000


def run(
    *,
    seconds: float = HOUR / 2,
    growth_per_hour: float = 0.0,
    slowing_per_hour: float = 0.0,
    fail_every: int = 1000,
    filling: int = 0,
) -> tuple[list[Request], list[Sample]]:
    """A soak with noise of 1 % in memory and 20 % in latency, and a replica that goes in the first third.

    Args:
        growth_per_hour: share of the memory that is added.
        slowing_per_hour: share of the latency that is added.
        fail_every: this one of so many requests fails.
        filling: bytes that are added in the first tenth only, as a cache does.
    """
    random = Random(1)
    requests: list[Request] = []
    samples: list[Sample] = []
    for second in range(int(seconds)):
        hours = second / HOUR
        memory = MEMORY * (1 + growth_per_hour * hours) * random.gauss(1, 0.01)
        memory += filling * min(second / (seconds / 10), 1)
        replicas = [
            Replica(name="a", ready=True, memory_bytes=int(memory)),
            Replica(name="away", ready=False),
        ]
        if second < seconds / 6:
            replicas.append(Replica(name="gone", ready=True, memory_bytes=MEMORY + second * 1_000_000))
        samples.append(Sample(at=second, replicas=replicas))
        for part in range(2):
            at = second + part / 2
            latency = 1.0 * (1 + slowing_per_hour * hours) * random.gauss(1, 0.2)
            fails = len(requests) % fail_every == fail_every - 1
            requests.append(
                Request(
                    phase=0,
                    scheduled=at,
                    sent=at,
                    ended=at + (60 if fails else latency),
                    status=None if fails else 200,
                    error="no answer" if fails else None,
                )
            )
    return requests, samples


def test_a_target_that_stays_as_it_was_is_steady() -> None:
    found = judge(*run(), 0, HOUR / 2)
    assert found.verdict == "steady"
    assert set(found.memory_slope_bytes_per_hour) == {"a"}
    slope = found.memory_slope_bytes_per_hour["a"]
    assert slope.low < 0 < slope.high


def test_a_leak_is_found_and_measured() -> None:
    found = judge(*run(growth_per_hour=0.2), 0, HOUR / 2)
    assert found.verdict == "memory grows"
    slope = found.memory_slope_bytes_per_hour["a"]
    assert slope.low <= 0.2 * MEMORY <= slope.high
    assert "memory of a" in found.reason


def test_caches_that_fill_at_the_beginning_are_no_leak() -> None:
    assert judge(*run(filling=100_000_000), 0, HOUR / 2).verdict == "steady"


def test_answers_that_become_slower_are_found() -> None:
    found = judge(*run(slowing_per_hour=0.5), 0, HOUR / 2)
    assert found.verdict == "latency grows"
    slope = found.latency_slope_seconds_per_hour
    assert slope
    assert slope.low <= 0.5 <= slope.high


def test_a_target_that_fails_is_not_steady() -> None:
    assert judge(*run(fail_every=50), 0, HOUR / 2).verdict == "failing"
    assert judge([], [], 0, HOUR / 2).verdict == "failing"


def test_a_run_that_is_too_short_proves_neither() -> None:
    assert judge(*run(seconds=60), 0, 60).verdict == "inconclusive"


def test_what_two_minutes_add_is_no_leak() -> None:
    """In an hour it would be 20 %, but of the memory only half a percent was added."""
    two_minutes = HOUR / 30
    requests, samples = run(seconds=two_minutes, growth_per_hour=0.2)
    steady = [
        Sample(
            at=each.at,
            replicas=[Replica(name="a", ready=True, memory_bytes=int(MEMORY * (1 + 0.2 * each.at / HOUR)))],
        )
        for each in samples
    ]
    found = judge(requests, steady, 0, two_minutes)
    assert found.memory_slope_bytes_per_hour["a"].low > 0.15 * MEMORY
    assert found.verdict == "inconclusive"
    assert "run it for longer" in found.reason


def test_without_samples_of_memory_nothing_is_said_of_it() -> None:
    requests, _ = run()
    found = judge(requests, [], 0, HOUR / 2)
    assert (found.verdict, found.memory_slope_bytes_per_hour) == ("inconclusive", {})
    assert found.latency_slope_seconds_per_hour
