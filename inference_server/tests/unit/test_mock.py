"""The mock engine: the same every time, and as fast, slow or broken as it is told to be."""

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codemodel_server.cancellation import Cancellation
from codemodel_server.engines.events import Event, Finish, Text
from codemodel_server.engines.mock import MockEngine, fails
from codemodel_server.engines.request import (
    Conversation,
    GenerationRequest,
    Infill,
    Instruction,
    Message,
    Plain,
    Reading,
    Sampling,
)
from codemodel_server.errors import EngineFailedError, InvalidRequestError, PromptTooLongError

ENGINE = MockEngine(512, 2, 0)


def run(request: GenerationRequest, engine: MockEngine = ENGINE) -> list[Event]:
    return list(engine.prepare(request).run(Cancellation()))


def text(events: list[Event]) -> str:
    return "".join(event.text for event in events if isinstance(event, Text))


def asking(reading: Reading, tokens: int | None = 8, seed: int | None = None) -> GenerationRequest:
    return GenerationRequest(reading, tokens, Sampling(seed=seed))


@pytest.mark.parametrize(
    "reading",
    [
        Instruction("add"),
        Conversation((Message("system", "be brief"), Message("user", "add"))),
        Infill("def f(", "):"),
        Plain("add"),
        Plain(tuple(token.id for token in ENGINE.tokenize("add", add_special=False, parse_special=False))),
    ],
)
def test_every_reading_gives_the_same_text_each_time_and_another_with_another_seed(reading: Reading) -> None:
    first = run(asking(reading, seed=1))
    assert text(first) == text(run(asking(reading, seed=1)))
    assert text(first) != text(run(asking(reading, seed=2)))


@given(st.text())
def test_tokens_become_their_text_again(said: str) -> None:
    tokens = ENGINE.tokenize(said, add_special=True, parse_special=True)
    assert ENGINE.detokenize([token.id for token in tokens]) == said
    assert b"".join(token.piece for token in tokens).decode() == said


def test_the_tokens_of_an_answer_are_its_text() -> None:
    events = run(asking(Instruction("add"), 30))
    tokens = [token.id for event in events if isinstance(event, Text) for token in event.tokens]
    assert ENGINE.detokenize(tokens) == text(events)
    assert len(tokens) == 30


def test_unknown_tokens_are_refused() -> None:
    with pytest.raises(InvalidRequestError, match="no token -1"):
        ENGINE.prepare(asking(Plain((-1,))))


def test_the_length_is_what_was_asked_for_the_context_or_natural() -> None:
    (warm,) = run(asking(Instruction("add"), 0))
    assert isinstance(warm, Finish)
    assert (warm.reason, warm.completion_tokens) == ("length", 0)
    natural = run(asking(Instruction("add"), None))[-1]
    assert isinstance(natural, Finish)
    assert natural.reason == "stop"
    full = run(asking(Instruction("add"), 9999))[-1]
    assert isinstance(full, Finish)
    assert (full.reason, full.prompt_tokens + full.completion_tokens) == ("length", 512)
    with pytest.raises(PromptTooLongError):
        ENGINE.prepare(asking(Instruction("x" * 5000)))


def test_a_stop_text_ends_the_answer() -> None:
    whole = text(run(asking(Instruction("add"), 30)))
    stop = whole[10:14]
    events = run(GenerationRequest(Instruction("add"), 30, stop=(stop,)))
    assert text(events) == whole[: whole.index(stop)]
    end = events[-1]
    assert isinstance(end, Finish)
    assert (end.reason, end.stop_text) == ("stop", stop)


def test_probabilities_are_plausible() -> None:
    for event in run(GenerationRequest(Instruction("add"), 8, logprobs=5)):
        for token in event.tokens if isinstance(event, Text) else ():
            odds = [candidate.logprob for candidate in token.alternatives]
            assert len(odds) == 5
            assert odds == sorted(odds, reverse=True)
            assert token.logprob == odds[0] < 0


def test_a_json_schema_is_met_and_a_grammar_is_refused() -> None:
    assert text(run(GenerationRequest(Instruction("x"), 9, json_schema='{"type": "object"}'))) == "{}"
    with pytest.raises(InvalidRequestError, match="JSON schema"):
        ENGINE.prepare(GenerationRequest(Instruction("x"), 9, json_schema="{"))
    with pytest.raises(InvalidRequestError, match="a grammar is not possible with the engine mock"):
        ENGINE.prepare(GenerationRequest(Instruction("x"), 9, grammar="root ::= [0-9]"))


def test_the_share_of_requests_that_was_asked_for_fails() -> None:
    broken = MockEngine(512, 2, 0, failure=0.3)
    requests = [asking(Instruction(f"prompt {number}")) for number in range(200)]
    predicted = [request for request in requests if fails(request, 0.3)]
    assert 40 <= len(predicted) <= 80
    for request in requests[:30]:
        if request in predicted:
            with pytest.raises(EngineFailedError):
                run(request, broken)
        else:
            assert run(request, broken)


def test_a_client_that_leaves_is_noticed_within_a_step() -> None:
    cancellation = Cancellation()
    slow = MockEngine(512, 1, 0.001)
    events = slow.prepare(asking(Instruction("x"))).run(cancellation)
    leaving = threading.Timer(0.05, cancellation.cancel)
    leaving.start()
    assert list(events) == []
    assert slow.activity().slots == ()
    leaving.join()


def test_reading_and_writing_have_limits_of_time() -> None:
    slow = MockEngine(512, 1, 20)
    read, written = (
        run(GenerationRequest(Instruction("x"), 99, prefill_seconds=prefill, decode_seconds=decode), slow)
        for prefill, decode in ((0.01, None), (None, 0.12))
    )
    assert isinstance(read[0], Finish)
    assert read[0].reason == "length"
    assert 1 <= len([event for event in written if isinstance(event, Text)]) <= 3


def test_what_is_under_way_can_be_seen() -> None:
    engine = MockEngine(512, 1, 0)
    events = engine.prepare(asking(Instruction("add"))).run(Cancellation())
    next(events)
    (slot,) = engine.activity().slots
    assert (slot.id, slot.prompt_tokens, slot.generated_tokens) == (0, 1, 1)
    assert engine.activity().cells_used == 2
    list(events)
    assert engine.activity().slots == ()
