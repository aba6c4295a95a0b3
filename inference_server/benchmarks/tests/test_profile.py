import pytest

from inference_server.benchmarks.profile import Call, shares


def test_a_step_is_what_lies_between_the_ends_of_two_decodes() -> None:
    # One step of two streams: 10 to 20, of which 13 to 20 are the decode, and two choices take 1 each.
    decodes = [Call(0, 10, 2), Call(13, 20, 2)]
    choices = [Call(10.25, 11.25, 1), Call(11.5, 12.5, 1), Call(20.5, 21.5, 1)]
    found = shares(decodes, choices, 2)
    assert (found.step, found.decode, found.choosing, found.rest) == (10, 7, 2, 1)


def test_steps_that_read_prompts_or_lack_a_stream_do_not_count() -> None:
    decodes = [Call(0, 100, 64), Call(101, 102, 2), Call(103, 104, 2), Call(105, 300, 1)]
    assert shares(decodes, [], 2).step == 2


def test_without_any_step_there_is_nothing_to_say() -> None:
    with pytest.raises(ValueError, match="no two steps"):
        shares([Call(0, 1, 9)], [], 2)
