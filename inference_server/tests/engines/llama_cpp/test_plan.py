"""Who computes what in a step."""

import numpy as np

from codemodel_server.engines.llama_cpp.pace import (
    LONGEST_SECONDS,
    MOST_TILES,
    STREAMING_SECONDS,
    TILE,
    Pace,
    part,
)
from codemodel_server.engines.llama_cpp.plan import INFILL_STEPS, Reader, Readings, readings, writers
from codemodel_server.engines.request import Priority

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


def test_prompts_share_what_may_be_read() -> None:
    readers = [reader(0, 8, 8), reader(1, 100), reader(2, 8, 8), reader(3, 100, arrival=1.0)]
    assert [one.key for one in writers(readers, 0)] == [0, 2]
    assert readings(readers, 0, 120, SECONDS).inside == {1: 100, 3: 20}
    assert readings([reader(1, 5000, 64)], 0, 64, SECONDS).inside == {1: 64}


def test_a_short_prompt_overtakes_a_long_one_but_not_for_ever() -> None:
    long = reader(0, 1000)
    assert list(readings([long, reader(1, 10, arrival=1.0)], 0, 10, SECONDS).inside) == [1]
    # The long one would have been done after ten seconds, had it been alone.
    assert list(readings([long, reader(1, 10, arrival=11.0)], 0, 10, SECONDS).inside) == [0]


def test_infill_comes_first_and_conversations_every_other_step() -> None:
    chat, infill = reader(0, 8, 8), reader(1, 8, 8, priority=Priority.INFILL)
    waiting = reader(2, 50)
    everybody = [chat, infill, waiting]
    assert [[one.key for one in writers(everybody, step)] for step in range(INFILL_STEPS)] == [[0, 1], [1]]
    assert [list(readings(everybody, step, 64, SECONDS).inside) for step in range(INFILL_STEPS)] == [[2], []]
    reading = reader(1, 200, priority=Priority.INFILL, arrival=5.0)
    assert list(readings([waiting, reading], 0, 64, SECONDS).inside) == [1]


def test_who_needs_what_another_is_about_to_read_waits_for_it() -> None:
    leader, follower = reader(0, 100, 32, first=7), reader(1, 120, 32, first=7, arrival=1.0)
    stranger = reader(2, 10, arrival=2.0)
    assert readings([leader, follower, stranger], 0, 200, 1.0).inside == {2: 10, 0: 68}
    alone = reader(1, 120, 32, first=7, arrival=1.0, shares=False)
    assert readings([leader, alone], 0, 200, SECONDS).inside == {0: 68, 1: 88}


def test_a_long_prompt_is_read_beside_the_steps_and_who_is_behind_it_waits() -> None:
    long, longer, short = reader(0, 1000), reader(1, 2000), reader(2, 10, arrival=1.0)
    assert readings([long, longer, short], 0, 64, SECONDS, longest=128) == Readings({2: 10}, 0)
    late = reader(3, 10, arrival=11.0)
    assert readings([long, longer, late], 0, 64, SECONDS, longest=128) == Readings({}, 0)
    # What is left of it is short, but it is where it is.
    rest = reader(0, 1000, 900)
    assert readings([rest, longer], 0, 64, SECONDS, longest=128, begun=0) == Readings({}, 0)
    assert readings([rest, longer], 0, 64, SECONDS, longest=128) == Readings({0: 64}, 1)


def test_one_part_is_read_beside_the_steps_at_a_time_and_infill_does_not_wait_for_it() -> None:
    long, begun = reader(0, 1000), reader(1, 2000)
    assert readings([long, begun], 0, 64, SECONDS, longest=128, begun=1) == Readings({}, 1)
    infill = reader(2, 1000, priority=Priority.INFILL, arrival=9.0)
    assert readings([begun, infill], 0, 64, SECONDS, longest=128, begun=1) == Readings({2: 64}, 1)
    assert readings([begun, infill], 1, 64, SECONDS, longest=128, begun=1) == Readings({2: 64}, None)
    assert readings([begun, infill], 0, 64, SECONDS, longest=128) == Readings({}, 2)


def test_who_needs_what_is_being_read_beside_the_steps_waits_for_it() -> None:
    leader, follower = reader(0, 1000, first=7), reader(1, 1020, first=7, arrival=1.0)
    stranger = reader(2, 10, arrival=2.0)
    for position in (0, 256):
        ahead = reader(0, 1000, position, first=7)
        behind = reader(1, 1020, position, first=7, arrival=1.0)
        assert readings([behind, ahead], 0, 64, SECONDS, longest=128, begun=0) == Readings({}, 0)
    assert readings([leader, follower, stranger], 0, 64, SECONDS, longest=128) == Readings({2: 10}, 0)


def test_the_pace_is_learnt() -> None:
    pace = Pace(512, seconds_per_token=0.001)
    for _ in range(50):
        pace.learn(512, 51.2)
    assert abs(pace.seconds_per_token - 0.1) < 1e-3
    before = pace.seconds_per_token
    pace.learn(4, 3.0)
    assert pace.seconds_per_token == before


def test_with_nobody_to_wait_for_a_token_as_much_is_read_as_a_second_allows() -> None:
    assert Pace(512, 0.001).tokens(0, 1) == 512
    assert Pace(512, 0.005).tokens(0, 1) == 192


def test_beside_streams_whole_tiles_are_read_that_do_not_keep_them_waiting() -> None:
    assert Pace(512, 0.001).tokens(4, 1) == 128
    assert Pace(512, 0.006).tokens(4, 1) == TILE
    assert Pace(512, 0.1).tokens(4, 1) == TILE


def test_a_tile_is_read_for_each_prompt_that_ends_with_it_up_to_a_limit() -> None:
    assert Pace(512, 0.006).tokens(4, 0) == TILE
    assert Pace(512, 0.006).tokens(14, 2) == 2 * TILE
    assert Pace(512, 0.006).tokens(1, 15) == MOST_TILES * TILE
    assert Pace(512, 0.1).tokens(1, 15) == MOST_TILES * TILE


def test_streams_and_what_is_read_beside_them_fit_into_one_decode() -> None:
    assert Pace(256, 0.0001).tokens(17, 1) == 256 - 17
    assert Pace(64, 0.1).tokens(64, 1) == 0


def test_a_prompt_beside_the_streams_gets_several_times_as_long_as_their_token_takes() -> None:
    pace = Pace(512, 0.006)
    assert pace.beside() == STREAMING_SECONDS
    for seconds, given in ((0.01, STREAMING_SECONDS), (0.04, 0.2), (0.1, 0.5), (10.0, LONGEST_SECONDS)):
        pace.learn_writing(seconds)
        assert abs(pace.beside() - given) < 1e-9


def test_no_part_of_a_prompt_leaves_less_than_a_tile() -> None:
    lengths = {
        10: [10],
        256: [256],
        257: [193, 64],
        319: [255, 64],
        320: [256, 64],
        1300: [256] * 4 + [212, 64],
    }
    for length, parts in lengths.items():
        read: list[int] = []
        while sum(read) < length:
            read.append(part(length - sum(read), 256))
        assert read == parts
    assert part(70, 60) == 60


def test_a_decode_is_padded_to_a_number_of_rows_that_is_computed_faster() -> None:
    pace = Pace(512, 0.006)
    assert {rows: pace.padding(rows) for rows in (1, 2, 5, 8, 11, 13, 16, 62, 64, 512)} == {
        **dict.fromkeys((1, 8, 16, 64, 512), 0),
        2: 2,
        5: 3,
        11: 1,
        13: 3,
        62: 2,
    }
    assert Pace(15, 0.006).padding(14) == 0


def test_no_decode_is_larger_than_the_batch() -> None:
    for cost in (0.0001, 0.006, 0.1):
        pace = Pace(16, cost)
        assert pace.tokens(0, 1) <= 16
        assert pace.tokens(3, 9) <= 16 - 3
