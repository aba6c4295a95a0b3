"""Prompts that are read beside the streams: the same cells and logits, whatever happens meanwhile."""

import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest

from codemodel_server.cancellation import Cancellation
from codemodel_server.engines.llama_cpp.engine import LlamaCppEngine
from codemodel_server.engines.llama_cpp.native.batch import Piece
from codemodel_server.engines.llama_cpp.native.context import ContextSize, NativeContext, Outcome
from codemodel_server.engines.llama_cpp.native.model import NativeModel
from codemodel_server.engines.llama_cpp.native.sampler import Logits, Sampler
from codemodel_server.engines.llama_cpp.pace import LONGEST_INSIDE
from codemodel_server.engines.llama_cpp.prefill import PART, Prefill
from codemodel_server.engines.llama_cpp.sequence import Sequence as Running
from codemodel_server.engines.text import TextStream
from codemodel_server.errors import EngineFailedError
from inference_server.tests.engines.llama_cpp.asking import (
    GREEDY,
    Answer,
    ask,
    ask_all,
    request,
    same_until_a_tie,
)
from inference_server.tests.engines.llama_cpp.conftest import CONTEXT, PARALLEL

LENGTH = PART + PART // 2
PATIENCE = 60.0


class Bench:
    """A main context, and one beside it."""

    def __init__(self, file: Path) -> None:
        self.model = NativeModel(file)
        self.main = NativeContext(self.model, ContextSize(2 * CONTEXT, PART, 2, 1))
        self.prefill = Prefill(self.model, self.main, CONTEXT, 1)

    def sequence(self, number: int, tokens: np.ndarray) -> Running:
        asked = request("")
        sampler = Sampler(self.model, GREEDY, None, [])
        cancellation = Cancellation()
        running = Running(asked, tokens.astype(np.int32), 8, sampler, cancellation, 0.0, TextStream(()))
        running.id = number
        return running

    def tokens(self, seed: int) -> np.ndarray:
        return np.random.default_rng(seed).integers(300, self.model.vocabulary_size, LENGTH)

    def read(self, sequence: Running) -> Logits:
        """Reads all that is left of a prompt."""
        while sequence.reading:
            assert self.prefill.begin(sequence) is Outcome.DONE
            assert self.prefill.run(PATIENCE)
            piece, outcome = self.prefill.end(sequence)
            assert outcome is Outcome.DONE
            sequence.position += len(piece.tokens)
        return self.prefill.logits().copy()

    def next(self, number: int, position: int) -> Logits:
        """The logits behind one more token in the main context."""
        piece = Piece(number, position, np.array([77], np.int32), output=True)
        assert self.main.decode([piece]) is Outcome.DONE
        return self.main.logits(0).copy()

    def close(self) -> None:
        self.prefill.close()
        self.main.close()
        self.model.close()


@pytest.fixture
def bench(small_model: Path) -> Iterator[Bench]:
    made = Bench(small_model)
    yield made
    made.close()


def test_what_was_read_beside_is_in_the_main_context_to_the_last_bit(bench: Bench) -> None:
    tokens = bench.tokens(1)
    for begin in (0, PART):
        part = tokens[begin : begin + PART].astype(np.int32)
        assert bench.main.decode([Piece(0, begin, part, output=True)]) is Outcome.DONE
    expected = bench.main.logits(LENGTH - PART - 1).copy()
    then = bench.next(0, LENGTH)
    bench.main.clear()
    assert (bench.read(bench.sequence(0, tokens)) == expected).all()
    assert (bench.next(0, LENGTH) == then).all()


def test_it_stands_still_and_others_are_decoded_meanwhile(bench: Bench) -> None:
    tokens, other = bench.tokens(1), bench.tokens(2)[:16].astype(np.int32)
    expected = bench.read(bench.sequence(0, tokens))
    bench.main.clear()
    sequence = bench.sequence(0, tokens)
    position = 0
    while sequence.reading:
        assert bench.prefill.begin(sequence) is Outcome.DONE
        # With no time at all it cannot have ended, however fast the machine is.
        assert not bench.prefill.run(0.0)
        assert bench.main.decode([Piece(1, position, other, output=True)]) is Outcome.DONE
        position += len(other)
        assert bench.prefill.run(PATIENCE)
        piece, outcome = bench.prefill.end(sequence)
        assert outcome is Outcome.DONE
        sequence.position += len(piece.tokens)
    assert np.allclose(bench.prefill.logits(), expected, atol=1e-2)


def test_a_prompt_is_left_for_another_and_taken_up_again(bench: Bench) -> None:
    one, other = bench.sequence(0, bench.tokens(1)), bench.sequence(1, bench.tokens(2))
    expected = [bench.read(bench.sequence(number, bench.tokens(number + 1))) for number in (0, 1)]
    bench.main.clear()
    for sequence in (one, other):
        assert bench.prefill.begin(sequence) is Outcome.DONE
        assert bench.prefill.run(PATIENCE)
        sequence.position += len(bench.prefill.end(sequence)[0].tokens)
    logits = [bench.read(sequence) for sequence in (one, other)]
    assert all(np.allclose(*pair, atol=1e-2) for pair in zip(logits, expected, strict=True))


def test_what_is_forgotten_ends_at_once_and_leaves_nothing(bench: Bench) -> None:
    left, stays = bench.sequence(0, bench.tokens(1)), bench.sequence(1, bench.tokens(2))
    for _ in range(3 * CONTEXT // PART):
        assert bench.prefill.begin(left) is Outcome.DONE
        assert not bench.prefill.run(0.0)
        for sequence, then in ((stays, left), (left, None)):
            bench.prefill.forget(sequence)
            assert bench.prefill.reading is then
    expected = bench.read(stays)
    bench.main.clear()
    assert (bench.read(bench.sequence(0, bench.tokens(2))) == expected).all()


def test_whoever_comes_ends_a_run(bench: Bench) -> None:
    assert bench.prefill.begin(bench.sequence(0, bench.tokens(1))) is Outcome.DONE
    bench.prefill.wake()
    assert not bench.prefill.run(PATIENCE)
    assert bench.prefill.run(PATIENCE)


def test_no_room_in_the_main_context_is_said(bench: Bench) -> None:
    full = np.zeros(PART, np.int32)
    for begin in range(0, bench.main.size.cells, PART):
        assert bench.main.decode([Piece(1, begin, full, output=False)]) is Outcome.DONE
    sequence = bench.sequence(0, bench.tokens(1))
    assert bench.prefill.begin(sequence) is Outcome.DONE
    assert bench.prefill.run(PATIENCE)
    assert bench.prefill.end(sequence)[1] is Outcome.NO_ROOM
    bench.main.clear()
    assert len(bench.read(sequence)) == bench.model.vocabulary_size


def text(seed: int, tokens: int = 380) -> str:
    return " ".join(f"{number}" for number in np.random.default_rng(seed).integers(0, 9, tokens // 2))


def test_answers_are_the_same_with_and_without_a_context_for_prefill(
    engine: LlamaCppEngine, small_model: Path
) -> None:
    assert engine.concurrency == PARALLEL
    alone = LlamaCppEngine(small_model, CONTEXT, 1, 1)
    alone.load()
    texts = [text(seed) for seed in range(12)]
    expected = [ask(alone, request(one, logprobs=2, share_prefix=False)) for one in texts]
    alone.close()
    assert all(answer.end.prompt_tokens > LONGEST_INSIDE for answer in expected)
    answers = ask_all(engine, [request(one, logprobs=2) for one in texts])
    assert all(same_until_a_tie(*pair) for pair in zip(expected, answers, strict=True))


def test_a_client_that_leaves_while_its_prompt_is_read_beside_harms_nobody(
    engine: LlamaCppEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = ask(engine, request(text(31), logprobs=2, share_prefix=False))
    inside = threading.Event()

    def never(_self: Prefill, _seconds: float) -> bool:
        inside.set()
        return False

    monkeypatch.setattr(Prefill, "run", never)
    cancellation = Cancellation()
    events = engine.prepare(request(text(30), 4)).run(cancellation)
    reader = threading.Thread(target=lambda: list(events))
    reader.start()
    assert inside.wait(PATIENCE)
    cancellation.cancel()
    reader.join(PATIENCE)
    assert not reader.is_alive()
    monkeypatch.undo()
    assert same_until_a_tie(expected, ask(engine, request(text(31), logprobs=2, share_prefix=False)))


def test_a_long_prompt_that_llama_cpp_cannot_compute_does_not_harm_the_others(
    engine: LlamaCppEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    decode = NativeContext.decode
    bad = text(40)
    begins = [token.id for token in engine.tokenize(bad, add_special=True, parse_special=False)][:9]

    def refuse(self: NativeContext, pieces: Sequence[Piece], padding: int) -> Outcome:
        refused = any(list(piece.tokens[:9]) == begins for piece in pieces)
        return Outcome.FAILED if refused else decode(self, pieces, padding)

    expected = ask(engine, request(text(41), logprobs=2, share_prefix=False))
    monkeypatch.setattr(NativeContext, "decode", refuse)

    def failing() -> Answer | EngineFailedError:
        try:
            return ask(engine, request(bad, 4, share_prefix=False))
        except EngineFailedError as error:
            return error

    found: list[Answer | EngineFailedError] = []
    failer = threading.Thread(target=lambda: found.append(failing()))
    failer.start()
    answer = ask(engine, request(text(41), logprobs=2, share_prefix=False))
    failer.join(PATIENCE)
    assert isinstance(found[0], EngineFailedError)
    assert same_until_a_tie(expected, answer)
