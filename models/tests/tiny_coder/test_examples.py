"""What is learned from: the library without what is held out, holes that can be filled, and the same rows each time."""

import random
from pathlib import Path

import numpy as np
import pytest
from tokenizers import Tokenizer

from models.tiny_coder import corpus, lesson, tokens
from models.tiny_coder.asking import functions, headers, request, requests
from models.tiny_coder.corpus import Source
from models.tiny_coder.examples import Batch, Examples
from models.tiny_coder.plan import CURSOR, LANGUAGE

FUNCTION = '''class A:
    def add(self, a, b=1):
        """Add two numbers.

        Details.
        """
        return a + b
'''


@pytest.fixture(scope="module")
def sources() -> list[Source]:
    return corpus.read()


@pytest.fixture(scope="module")
def tokenizer() -> Tokenizer:
    return tokens.learn([each.source for each in lesson.load()], 400)


def test_some_of_the_library_is_held_out_always_the_same(sources: list[Source]) -> None:
    held_out = [source for source in sources if source.held_out]
    assert 0.01 < len(held_out) / len(sources) < 0.05
    again = {source.name for source in corpus.read() if source.held_out}
    assert again == {source.name for source in held_out}


def test_nothing_of_this_machine_is_learned(sources: list[Source]) -> None:
    assert not [
        source.name for source in sources if "sysconfigdata" in source.name or "site-packages" in source.name
    ]


def test_tests_of_the_library_are_told_from_it() -> None:
    names = {"ast.py": False, "test/test_ast.py": True, "ctypes/test/x.py": True, "unittest/case.py": False}
    assert {name: Source(name, "x", held_out=False).is_test for name in names} == names


def test_a_folder_without_python_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "broken.py").write_bytes(b"\xff\xfe")
    with pytest.raises(FileNotFoundError, match="no Python files in"):
        corpus.read(tmp_path)


def test_the_digest_changes_with_a_text(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("x = 1\n")
    before = corpus.digest(corpus.read(tmp_path))
    (tmp_path / "a.py").write_text("x = 2\n")
    assert corpus.digest(corpus.read(tmp_path)) != before


def test_functions_say_what_they_do() -> None:
    (found,) = functions(Source("a.py", FUNCTION, held_out=False))
    assert (found.head, found.purpose) == ("add(self, a, b=1)", "Add two numbers.")
    assert found.code.startswith("def add(")
    assert found.code.endswith("return a + b")
    assert found.begun.endswith('"""\n')
    assert found.code.startswith(found.begun)
    assert {each.code for each in requests(found)} == {found.code}


def test_wrong_syntax_has_no_functions() -> None:
    assert functions(Source("a.py", "def f(:\n", held_out=False)) == []


def test_a_lesson_is_asked_for_by_how_it_begins() -> None:
    first, begun, plain = headers(
        'def add(a: int, *, b: int = 1) -> int:\n    """Add."""\n    return a + b\n'
    )
    assert first == "def add(a: int, *, b: int = 1) -> int:"
    assert begun == f'{first}\n    """Add."""\n'
    assert plain == "def add(a, *, b=1):"


def test_a_phrase_is_asked_in_many_ways() -> None:
    asked = {request("add two numbers", random.Random(seed)) for seed in range(200)}
    assert len(asked) > 10
    assert all("add two numbers" in each.lower() for each in asked)


@pytest.fixture(scope="module")
def texts() -> list[Source]:
    text = "".join(f"def learned_{index}(x):\n    return x + {index}\n" for index in range(100))
    given_ = [Source("a.py", text, held_out=False), Source("b.py", "secret = 1\n" * 999, held_out=True)]
    # Functions are drawn, too, so one has to be there.
    return [*given_, Source("c.py", FUNCTION, held_out=False)]


def test_rows_are_the_same_each_time_and_never_of_what_is_held_out(
    tokenizer: Tokenizer, texts: list[Source]
) -> None:
    lessons = lesson.load()

    def rows(seed: int, step: int) -> Batch:
        return Examples(tokenizer, texts, lessons, seed).batch(step, 200, 64, LANGUAGE)

    drawn = rows(1, 3)
    assert drawn.ids.shape == drawn.filled.shape == (200, 64)
    assert (drawn.ids == rows(1, 3).ids).all()
    assert (drawn.ids != rows(2, 3).ids).any()
    assert (drawn.ids != rows(1, 4).ids).any()
    read = [tokenizer.decode(row, skip_special_tokens=False) for row in drawn.ids]
    assert not [text for text in read if "secret" in text]
    for sign in (tokens.FIM_MIDDLE, tokens.ASSISTANT, "learned_"):
        assert sum(sign in text for text in read) > 10
    assert np.max(drawn.ids) < tokenizer.get_vocab_size()


def test_what_was_in_a_hole_is_marked_with_its_end_and_not_joined_with_what_is_before_it(
    tokenizer: Tokenizer, texts: list[Source]
) -> None:
    batch = Examples(tokenizer, texts, lesson.load(), 1).batch(1, 200, 64, CURSOR)
    middle, end = (tokens.SPECIAL.index(each) for each in (tokens.FIM_MIDDLE, tokens.END_OF_TEXT))
    for ids, filled in zip(batch.ids, batch.filled, strict=True):
        # What is marked begins behind the sign for it and ends with the end; what is not marked has no such end.
        begins = np.flatnonzero(filled[1:] & ~filled[:-1]) + 1
        for begin in begins:
            assert middle in ids[:begin]
        assert (ids[:-1][filled[:-1] & ~filled[1:]] == end).all()
    first = batch.ids[:, 1] == tokens.SPECIAL.index(tokens.FIM_SUFFIX)
    assert 0.3 < first.mean() < 0.8
    assert 0.02 < batch.filled.mean() < 0.6


def test_too_few_texts_for_a_vocabulary_are_an_error() -> None:
    with pytest.raises(ValueError, match="9999 tokens are asked for, and the texts give"):
        tokens.learn(["x = 1"], 9999)


def test_the_tokenizer_keeps_every_text(tokenizer: Tokenizer) -> None:
    for text in ("", "def f():\n\treturn 'ž🐍'\r\n", "\x00  \n"):
        assert tokenizer.decode(tokenizer.encode(text).ids) == text
    pieces, merges = tokens.pieces_of(tokenizer)
    assert pieces[: len(tokens.SPECIAL)] == list(tokens.SPECIAL)
    again = tokens.of(pieces, merges)
    for each in lesson.load():
        ids = tokenizer.encode(each.source).ids
        assert again.encode(each.source).ids == ids
        assert again.decode(ids) == each.source
