"""Training: it learns, and an interruption changes nothing."""

import random
from dataclasses import replace
from itertools import islice
from pathlib import Path

import jax.numpy as jnp
import numpy as np
import pytest

from models.tiny_coder import export, lesson, tokens
from models.tiny_coder.baselines import gzip_bits, ngram_bits, xz_bits
from models.tiny_coder.bits import bits
from models.tiny_coder.corpus import Source
from models.tiny_coder.examples import Batch, Examples, Mix
from models.tiny_coder.plan import CURSOR, LANGUAGE, SHORT, TASKS, Phase, Plan
from models.tiny_coder.training import Progress, Trainer, counts_of, trained

SOURCES = [
    Source(
        f"{name}.py",
        "".join(
            f'def {name}_{index}(value):\n    """Return {name} {index}."""\n    return value + {index}\n'
            for index in range(100)
        ),
        held_out=name == "held_out",
    )
    for name in ("add", "sum", "held_out")
]
PLAN = Plan(
    replace(SHORT.shape, vocabulary=400, context=256),
    (
        Phase(4, 128, LANGUAGE, 0.5, 1.0, tokens=512),
        Phase(2, 256, TASKS, 1.0, 0.0, emphasis=4, tokens=1024),
    ),
)


@pytest.fixture(scope="module")
def examples() -> Examples:
    lessons = lesson.load()
    tokenizer = tokens.learn([each.source for each in lessons], PLAN.shape.vocabulary)
    return Examples(tokenizer, SOURCES, lessons, 1)


@pytest.fixture(scope="module")
def whole(examples: Examples, tmp_path_factory: pytest.TempPathFactory) -> tuple[list[Progress], Path]:
    checkpoint = tmp_path_factory.mktemp("whole") / "checkpoint.npz"
    return list(Trainer(PLAN, checkpoint).run(examples)), checkpoint


def test_it_learns(whole: tuple[list[Progress], Path]) -> None:
    progress, _ = whole
    assert [each.step for each in progress] == [1, 2, 3, 4, 5, 6]
    # It begins by taking all tokens for equally likely.
    assert progress[0].loss == pytest.approx(np.log2(PLAN.shape.vocabulary), abs=0.5)
    assert progress[-1].loss < progress[0].loss


def test_an_interruption_changes_nothing(
    whole: tuple[list[Progress], Path], examples: Examples, tmp_path: Path
) -> None:
    progress, checkpoint = whole
    run = Trainer(PLAN, tmp_path / "checkpoint.npz").run(examples, save_seconds=0)
    begun = list(islice(run, 3))
    rest = list(Trainer(PLAN, tmp_path / "checkpoint.npz").run(examples))
    assert [each.step for each in rest] == [4, 5, 6]
    assert [each.loss for each in (*begun, *rest)] == pytest.approx(
        [each.loss for each in progress], abs=1e-4
    )
    assert rest[-1].seconds > begun[-1].seconds
    ours, _ = trained(tmp_path / "checkpoint.npz")
    theirs, _ = trained(checkpoint)
    assert all(np.allclose(ours[name], theirs[name], atol=1e-3) for name in theirs)


def test_the_checkpoint_of_another_model_is_refused(whole: tuple[list[Progress], Path]) -> None:
    other = replace(PLAN, shape=replace(PLAN.shape, layers=1))
    with pytest.raises(ValueError, match=r"is of another model .*: remove it, or name another folder"):
        Trainer(other, whole[1])


def test_no_checkpoint_is_said(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="is not there: `train` makes it"):
        trained(tmp_path / "checkpoint.npz")


@pytest.mark.parametrize(("form", "tolerance"), [("F16", 1e-3), ("Q8_0", 1e-2)])
def test_a_file_has_what_was_trained(
    whole: tuple[list[Progress], Path], examples: Examples, tmp_path: Path, form: str, tolerance: float
) -> None:
    weights, shape = trained(whole[1])
    digest = export.export(tmp_path / "a.gguf", weights, shape, examples.tokenizer, form)
    assert digest == export.export(tmp_path / "b.gguf", weights, shape, examples.tokenizer, form)
    assert {path.name for path in tmp_path.iterdir()} == {"a.gguf", "b.gguf"}
    read, same, tokenizer = export.read(tmp_path / "a.gguf")
    assert same == shape
    assert read.keys() == weights.keys()
    assert all(np.allclose(read[name], weights[name], atol=tolerance) for name in weights)
    assert tokenizer.encode("return value").ids == examples.tokenizer.encode("return value").ids


def test_what_was_in_a_hole_counts_more_and_its_end_most() -> None:
    end = tokens.SPECIAL.index(tokens.END_OF_TEXT)
    batch = Batch(np.array([[9, 10, end, 9, end]], np.int32), np.array([[False, True, True, False, False]]))
    phase = Phase(1, 5, CURSOR, 1.0, 1.0, emphasis=8, ending=4)
    assert counts_of(batch, phase).tolist() == [[1, 8, 32, 1, 1]]


def test_rows_are_of_what_the_mix_says(examples: Examples) -> None:
    def holes(mix: Mix) -> int:
        batch = examples.batch(1, 300, 64, mix)
        return int((batch.ids == tokens.SPECIAL.index(tokens.FIM_MIDDLE)).sum())

    few, many = Mix(0.9, 0.1, 0, 0), Mix(0.1, 0.9, 0, 0)
    assert 0 < 3 * holes(few) < holes(many)


def test_phases_follow_one_another() -> None:
    plan = replace(PLAN, phases=(Phase(2, 8, LANGUAGE, 0.5, 1.0), Phase(4, 16, TASKS, 1.0, 0.0)))
    assert plan.steps == 6
    assert plan.tokens(3) == 3 * 16_384
    assert plan.rates().tolist() == [0.5, 0.75, 1.0, 0.75, 0.5, 0.25]
    assert [plan.phase(step).length for step in range(6)] == [8, 8, 16, 16, 16, 16]
    with pytest.raises(IndexError, match="training has ended"):
        plan.phase(6)


def test_counts_of_tokens_are_what_is_calculated_by_hand() -> None:
    train, test = [np.array([0, 1, 0, 1, 0])], [np.array([0, 1])]
    # p(0) = (3 + 2/4) / (5 + 2); p(1) = (2 + 2/4) / 7; after 0 came 1 twice: p(1 | 0) = (2 + p(1)) / (2 + 1).
    by_hand = -np.log2(3.5 / 7) - np.log2((2 + 2.5 / 7) / 3)
    assert ngram_bits(train, test, 4, 2) == pytest.approx(by_hand)


def test_counts_know_what_they_saw() -> None:
    drawn = random.Random(1)
    text = np.array([drawn.randrange(50) for _ in range(200)])
    other = np.array([drawn.randrange(50) for _ in range(200)])
    assert ngram_bits([text], [text], 50, 4) < 0.3 * ngram_bits([text], [other], 50, 4)


def test_compressors_count_bits_of_a_byte() -> None:
    noise = random.Random(1).randbytes(100_000)
    for bits_of in (gzip_bits, xz_bits):
        assert 0 < bits_of(b"a" * 100_000) < 0.1
        assert 8 < bits_of(noise) < 8.1


def test_a_model_that_knows_nothing_needs_the_bits_of_any_token(
    whole: tuple[list[Progress], Path], examples: Examples
) -> None:
    weights, shape = trained(whole[1])
    # Not zero: of nothing but zeros, JAX's products on the CPU have now and then been no number.
    silent = {name: jnp.asarray(value) * 1e-3 for name, value in weights.items()}
    found = bits(silent, shape, examples.tokenizer, SOURCES)
    assert found["model"] * found["bytes"] == pytest.approx(
        found["tokens"] * np.log2(shape.vocabulary), rel=1e-3
    )
    assert found["bytes"] == len(SOURCES[-1].text)
