"""The scheduler with a real model: many at once, sharing what they read, and never harming one another."""

import random
import threading
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from codemodel_server.cancellation import Cancellation
from codemodel_server.engines.events import Finish, Text
from codemodel_server.engines.llama_cpp.engine import LlamaCppEngine
from codemodel_server.engines.llama_cpp.native.batch import Piece
from codemodel_server.engines.llama_cpp.native.context import ContextSize, NativeContext, Outcome
from codemodel_server.engines.llama_cpp.native.model import NativeModel
from codemodel_server.engines.request import GenerationRequest, Infill, Plain, Priority, Sampling
from codemodel_server.errors import EngineFailedError, InvalidRequestError
from inference_server.tests.engines.llama_cpp.asking import GREEDY, ask, ask_all, request, same_until_a_tie
from inference_server.tests.engines.llama_cpp.conftest import CONTEXT, PARALLEL

WORDS = ("def ", "add", "(a, b)", ":\n", "    return ", "class ", "X", " = 1\n", "for i in ", "range(3)")


def texts(count: int, seed: int) -> list[str]:
    """Texts that part at random places, as those of people who work on the same files."""
    drawn = random.Random(seed)
    files = ["".join(drawn.choices(WORDS, k=drawn.randint(20, 110))) for _ in range(3)]
    cut = [file[: drawn.randint(1, len(file))] for file in drawn.choices(files, k=count)]
    return [text + "".join(drawn.choices(WORDS, k=drawn.randint(1, 10))) for text in cut]


def test_the_answer_is_the_same_with_and_without_shared_prefixes(engine: LlamaCppEngine) -> None:
    reused = 0
    # More than the memory holds, so that prefixes are dropped, too.
    for text in texts(60, seed=1):
        fresh = ask(engine, request(text, logprobs=2, share_prefix=False))
        shared = ask(engine, request(text, logprobs=2))
        assert same_until_a_tie(fresh, shared)
        assert fresh.end.cached_tokens == 0
        reused += shared.end.cached_tokens
    assert reused > 0
    activity = engine.activity()
    assert activity.cells_used == 0
    assert 0 < activity.cells_cached <= CONTEXT * PARALLEL


def test_a_shared_prefix_is_the_same_to_the_last_bit(small_model: Path) -> None:
    model = NativeModel(small_model)
    context = NativeContext(model, ContextSize(CONTEXT, 128, 2, 1))
    tokens = np.array(model.tokenize("".join(WORDS) * 3, add_special=True, parse_special=False), np.int32)
    head, tail = tokens[:-5], tokens[-5:]
    context.decode([Piece(0, 0, head, output=False)])
    context.share(0, 1, 0, len(head))
    logits = []
    for sequence in (0, 1):
        assert context.decode([Piece(sequence, len(head), tail, output=True)]) is Outcome.DONE
        logits.append(context.logits(len(tail) - 1).copy())
        context.remove(sequence)
    assert (logits[0] == logits[1]).all()
    context.close()
    model.close()


def test_padding_changes_no_answer_and_leaves_nothing_behind(small_model: Path) -> None:
    model = NativeModel(small_model)
    context = NativeContext(model, ContextSize(256, 128, 1, 1))
    tokens = np.array(model.tokenize("".join(WORDS), add_special=True, parse_special=False)[:13], np.int32)
    logits = []
    # Often enough to fill the memory, if anything stayed.
    for padding in (0, *[3] * 100):
        assert context.decode([Piece(0, 0, tokens, output=True)], padding) is Outcome.DONE
        logits.append(context.logits(len(tokens) - 1).copy())
        context.remove(0)
    assert np.allclose(logits[0], logits[-1], atol=1e-2)
    assert int(logits[0].argmax()) == int(logits[-1].argmax())
    context.close()
    model.close()


def test_answers_at_the_same_time_are_those_of_each_alone(engine: LlamaCppEngine) -> None:
    for seed in range(3):
        some = texts(12, seed=10 + seed)
        alone = [ask(engine, request(text, 20, logprobs=2, share_prefix=False)) for text in some]
        together = ask_all(engine, [request(text, 20, logprobs=2) for text in some])
        assert all(same_until_a_tie(*pair) for pair in zip(alone, together, strict=True))


def test_a_prefix_that_many_read_at_once_is_read_once(engine: LlamaCppEngine) -> None:
    shared = "".join(random.Random(99).choices(WORDS, k=80))
    asked = [request(f"{shared}{number} tail", 4) for number in range(PARALLEL)]
    answers = ask_all(engine, asked)
    fresh = sum(answer.end.prompt_tokens - answer.end.cached_tokens for answer in answers)
    longest = max(answer.end.prompt_tokens for answer in answers)
    assert fresh < 2 * longest


def test_what_one_request_may_not_share_is_not_kept(engine: LlamaCppEngine) -> None:
    text = "secret " * 20
    ask(engine, request(text, share_prefix=False))
    assert ask(engine, request(text)).end.cached_tokens == 0


def test_a_grammar_is_followed_and_harms_nobody(engine: LlamaCppEngine) -> None:
    grammars: list[GenerationRequest] = [
        request("x", 40, grammar='root ::= "yes" | "no"', sampling=Sampling(temperature=1, seed=3)),
        request("y", 40),
        request("z", 40, json_schema='{"type":"object","properties":{"a":{"enum":[1,2]}},"required":["a"]}'),
    ]
    yes, plain, schema = ask_all(engine, grammars)
    assert yes.text in {"yes", "no"}
    assert yes.end.reason == "stop"
    assert schema.text.replace(" ", "").replace("\n", "") in {'{"a":1}', '{"a":2}'}
    assert plain.end.completion_tokens == 40


@pytest.mark.parametrize(
    "grammar",
    ["root ::= (", "nothing ::= x", "root ::= root", "", "\0", "root ::= " + "(" * 100_000, "(" * 300_000],
)
def test_a_wrong_grammar_is_refused(engine: LlamaCppEngine, grammar: str) -> None:
    with pytest.raises(InvalidRequestError, match="grammar"):
        ask(engine, request("x", grammar=grammar))


def test_a_demand_that_no_token_meets_ends_the_answer_and_not_the_server(engine: LlamaCppEngine) -> None:
    everything = tuple((token, float("-inf")) for token in range(engine.facts().vocabulary))
    for sampling in (Sampling(logit_bias=everything), Sampling(temperature=0, logit_bias=everything)):
        assert (
            ask(engine, request("x", sampling=sampling)).end
            == Finish("stop", prompt_tokens=1, completion_tokens=0)
            or ask(engine, request("x", sampling=sampling)).end.completion_tokens == 0
        )
    # The grammar allows the end only, and the end is forbidden.
    nothing = request("x", grammar='root ::= ""', sampling=Sampling(temperature=0, ignore_eos=True))
    assert ask(engine, nothing).end.completion_tokens <= 1
    assert ask(engine, request("x", 4)).end.completion_tokens == 4


def test_sampling_does_what_it_says(engine: LlamaCppEngine) -> None:
    first = ask(engine, request("x", 1)).ids[0]
    forbidden = Sampling(temperature=0, logit_bias=((first, float("-inf")),))
    assert ask(engine, request("x", 1, sampling=forbidden)).ids[0] != first
    forced = Sampling(temperature=0, logit_bias=((77, 100.0),))
    assert ask(engine, request("x", 5, sampling=forced)).ids == [77] * 5
    tired = Sampling(temperature=0, logit_bias=((77, 100.0),), presence_penalty=200.0)
    assert ask(engine, request("x", 3, sampling=tired)).ids.count(77) == 1
    only = Sampling(temperature=2.0, top_k=1, seed=1)
    assert ask(engine, request("x", 8, sampling=only)).ids == ask(engine, request("x", 8)).ids
    for cut in (Sampling(temperature=1.5, top_p=1e-6), Sampling(temperature=1.5, min_p=1.0)):
        assert ask(engine, request("x", 8, sampling=cut)).ids == ask(engine, request("x", 8)).ids


def test_seeds_repeat_and_differ(engine: LlamaCppEngine) -> None:
    drawn = [
        ask(engine, request("x", 6, sampling=Sampling(temperature=1.0, seed=seed))).ids for seed in (5, 5, 6)
    ]
    assert drawn[0] == drawn[1] != drawn[2]


def test_logprobs_are_those_of_the_model(engine: LlamaCppEngine) -> None:
    answer = ask(engine, request("x", 4, logprobs=3))
    for token in answer.tokens:
        assert [token.id, token.logprob] == [token.alternatives[0].id, token.alternatives[0].logprob]
        assert len(token.alternatives) == 3
        assert sorted((c.logprob for c in token.alternatives), reverse=True) == [
            c.logprob for c in token.alternatives
        ]
        assert all(c.logprob < 0 for c in token.alternatives)


def test_reading_alone_warms_the_cache(engine: LlamaCppEngine) -> None:
    text = "warm " * 40
    warmed = ask(engine, request(text, 0))
    assert (warmed.text, warmed.end.completion_tokens, warmed.end.reason) == ("", 0, "length")
    assert ask(engine, request(text, 1)).end.cached_tokens >= warmed.end.prompt_tokens - 1


def test_an_answer_ends_where_the_context_ends(engine: LlamaCppEngine) -> None:
    answer = ask(engine, request("x " * 200, None))
    assert answer.end.prompt_tokens + answer.end.completion_tokens == CONTEXT
    assert answer.end.reason == "length"
    with pytest.raises(InvalidRequestError, match=f"{CONTEXT}"):
        engine.prepare(request("x " * 600))


def test_a_file_around_the_cursor_is_cut_where_it_is_far_from_it(engine: LlamaCppEngine) -> None:
    infill = Infill(prefix="a = 1\n" * 400, suffix="b = 2\n" * 400)
    asked = GenerationRequest(infill, 16, GREEDY, priority=Priority.INFILL)
    answer = ask(engine, asked)
    assert answer.end.prompt_tokens + 16 == CONTEXT
    assert answer.end.completion_tokens == 16


def test_a_client_that_leaves_is_gone_after_the_step(engine: LlamaCppEngine) -> None:
    cancellation = Cancellation()
    events = engine.prepare(request("x", 400)).run(cancellation)
    assert isinstance(next(events), Text)
    cancellation.cancel()
    assert not any(isinstance(event, Finish) for event in events)
    assert ask(engine, request("y", 4)).end.completion_tokens == 4
    assert engine.activity().slots == ()


def test_closing_the_iterator_cancels(engine: LlamaCppEngine) -> None:
    cancellation = Cancellation()
    events = engine.prepare(request("x", 400)).run(cancellation)
    next(events)
    events.close()  # type: ignore[attr-defined]
    assert cancellation.cancelled


def test_a_decode_for_one_client_ends_when_it_leaves(
    engine: LlamaCppEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    decode = NativeContext.decode
    inside = threading.Event()
    outcomes: list[Outcome] = []

    def slow(self: NativeContext, pieces: Sequence[Piece], padding: int) -> Outcome:
        inside.set()
        left.wait(30)
        outcomes.append(decode(self, pieces, padding))
        return outcomes[-1]

    left = threading.Event()
    monkeypatch.setattr(NativeContext, "decode", slow)
    cancellation = Cancellation()
    events = engine.prepare(request("abort " * 50, 4, share_prefix=False)).run(cancellation)
    reader = threading.Thread(target=lambda: list(events))
    reader.start()
    assert inside.wait(30)
    cancellation.cancel()
    left.set()
    reader.join(30)
    assert not reader.is_alive()
    monkeypatch.undo()
    assert ask(engine, request("abort " * 50, 4)).end.completion_tokens == 4
    assert outcomes[0] is Outcome.ABORTED


def test_one_that_llama_cpp_cannot_compute_does_not_harm_the_others(
    engine: LlamaCppEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    decode = NativeContext.decode
    bad = engine.tokenize("poison", add_special=False, parse_special=False)[0].id

    def refuse(self: NativeContext, pieces: Sequence[Piece], padding: int) -> Outcome:
        return (
            Outcome.FAILED
            if any(bad in piece.tokens[:1] for piece in pieces)
            else decode(self, pieces, padding)
        )

    expected = [ask(engine, request(f"x{number}", 24, logprobs=2)) for number in range(3)]
    monkeypatch.setattr(NativeContext, "decode", refuse)
    failed: list[EngineFailedError] = []

    def poison() -> None:
        try:
            ask(engine, request("poison", 4, share_prefix=False))
        except EngineFailedError as error:
            failed.append(error)

    poisoner = threading.Thread(target=poison)
    poisoner.start()
    answers = ask_all(engine, [request(f"x{number}", 24, logprobs=2) for number in range(3)])
    poisoner.join(30)
    assert failed
    assert all(same_until_a_tie(*pair) for pair in zip(expected, answers, strict=True))


def test_a_fault_of_our_own_ends_what_runs_and_not_the_engine(
    engine: LlamaCppEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fault(self: NativeContext, pieces: Sequence[Piece], padding: int) -> Outcome:
        raise RuntimeError("a fault")

    monkeypatch.setattr(NativeContext, "decode", fault)
    with pytest.raises(EngineFailedError, match="internal error"):
        ask(engine, request("x"))
    monkeypatch.undo()
    assert ask(engine, request("x", 4)).end.completion_tokens == 4


def test_time_limits_end_reading_and_writing(small_model: Path) -> None:
    own = LlamaCppEngine(small_model, 2048, 1, 1)
    own.load()
    # Longer than a step takes, so that the time is up before all is read.
    late = ask(own, request("late " * 600, 4, prefill_seconds=1e-9))
    assert (late.text, late.end.completion_tokens, late.end.reason) == ("", 0, "length")
    short = ask(own, request("x", 300, decode_seconds=1e-9))
    assert 0 < short.end.completion_tokens < 300
    assert short.end.reason == "length"
    own.close()


def test_tokens_outside_the_vocabulary_are_refused(engine: LlamaCppEngine) -> None:
    for token in (-1, 10**6):
        with pytest.raises(InvalidRequestError, match="no token"):
            engine.prepare(GenerationRequest(Plain((token,)), 4))
        with pytest.raises(InvalidRequestError, match="no token"):
            engine.detokenize([token])
        with pytest.raises(InvalidRequestError, match="no token"):
            engine.prepare(request("x", sampling=Sampling(logit_bias=((token, 1.0),))))


def test_tokens_and_text_are_each_others_way_back(engine: LlamaCppEngine) -> None:
    text = "def ä(x):\n    return '🐍'"
    tokens = engine.tokenize(text, add_special=False, parse_special=False)
    assert engine.detokenize([token.id for token in tokens]) == text
    assert b"".join(token.piece for token in tokens).decode() == text


def test_more_than_run_wait_and_all_are_served(engine: LlamaCppEngine) -> None:
    asked = [request(f"{number} " * (number + 1), None if number % 5 == 0 else 8) for number in range(30)]
    answers = ask_all(engine, asked)
    assert all(answer.end.reason in {"stop", "length"} for answer in answers)


def test_closing_ends_what_runs(small_model: Path) -> None:
    own = LlamaCppEngine(small_model, CONTEXT, 1, 1)
    own.load()
    events = own.prepare(request("x", 400)).run(Cancellation())
    next(events)
    own.close()
    with pytest.raises(EngineFailedError, match="shutting down"):
        list(events)
