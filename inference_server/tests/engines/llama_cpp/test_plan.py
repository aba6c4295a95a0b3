"""Who computes what in a step."""

import numpy as np

from codemodel_server.engines.base import Priority
from codemodel_server.engines.llama_cpp.pace import LEAST_CHUNK, READING_SECONDS, STREAMING_SECONDS, Pace
from codemodel_server.engines.llama_cpp.plan import INFILL_STEPS, Reader, plan

SECONDS = 0.01


def reader(
    key: int,
    length: int,
    position: int = 0,
    *,
    arrival: float = 0.0,
    priority: Priority = Priority.CHAT,
    shares: bool = True,
    first: int | None = None,
) -> Reader:
    prompt = np.arange(length, dtype=np.int32) + 1000 * (key if first is None else first)
    return Reader(key, priority, arrival, prompt, position, shares)


def test_streams_come_first_and_prompts_share_what_is_left() -> None:
    readers = [reader(0, 8, 8), reader(1, 100), reader(2, 8, 8), reader(3, 100, arrival=1.0)]
    assert plan(readers, 0, 120, SECONDS) == {0: 1, 2: 1, 1: 100, 3: 20}


def test_a_long_prompt_never_takes_more_than_the_chunk() -> None:
    assert plan([reader(0, 8, 8), reader(1, 5000, 64)], 0, 64, SECONDS) == {0: 1, 1: 64}


def test_a_short_prompt_overtakes_a_long_one_but_not_for_ever() -> None:
    long = reader(0, 1000)
    assert list(plan([long, reader(1, 10, arrival=1.0)], 0, 10, SECONDS)) == [1]
    # The long one would have been done after ten seconds, had it been alone.
    assert list(plan([long, reader(1, 10, arrival=11.0)], 0, 10, SECONDS)) == [0]


def test_infill_comes_first_and_conversations_every_other_step() -> None:
    chat, infill = reader(0, 8, 8), reader(1, 8, 8, priority=Priority.INFILL)
    waiting = reader(2, 50)
    steps = [list(plan([chat, infill, waiting], step, 64, SECONDS)) for step in range(INFILL_STEPS)]
    assert steps == [[0, 1, 2], [1]]
    reading = reader(1, 200, priority=Priority.INFILL, arrival=5.0)
    assert list(plan([waiting, reading], 0, 64, SECONDS)) == [1]


def test_who_needs_what_another_is_about_to_read_waits_for_it() -> None:
    leader, follower = reader(0, 100, 32, first=7), reader(1, 120, 32, first=7, arrival=1.0)
    stranger = reader(2, 10, arrival=2.0)
    assert plan([leader, follower, stranger], 0, 200, 1.0) == {2: 10, 0: 68}
    alone = reader(1, 120, 32, first=7, arrival=1.0, shares=False)
    assert plan([leader, alone], 0, 200, SECONDS) == {0: 68, 1: 88}


def test_the_pace_is_learnt_and_bounded() -> None:
    pace = Pace(512, seconds_per_token=0.001)
    assert pace.chunk(4) == int(STREAMING_SECONDS / 0.001) // 4 * 4 - 4
    assert pace.chunk(0) == 512
    for _ in range(50):
        pace.learn(512, 51.2)
    assert abs(pace.seconds_per_token - 0.1) < 1e-3
    assert pace.chunk(4) == LEAST_CHUNK
    assert pace.chunk(0) == max(LEAST_CHUNK, int(READING_SECONDS / 0.1))
    before = pace.seconds_per_token
    pace.learn(4, 3.0)
    assert pace.seconds_per_token == before
