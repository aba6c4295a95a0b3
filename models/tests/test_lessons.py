"""The lessons: each passes its own checks, none can be mistaken for another, and wrong code is told from right."""

import ast
import contextlib
from collections import Counter
from pathlib import Path

import pytest

from models.tiny_coder.lesson import Lesson, load, passes
from models.tiny_coder.lessons._checking import holds

ADD = Lesson("add", (), "", ("add(1, 2) == 3", "add(-1, 1) == 0"), "def add(a, b):\n    return a + b\n")
GOOD = '''import json
from math import gcd, pi as PI


# one
# two
#: area(0) == 0
# three
# four
#: area(1) > 3
def area(radius: float) -> float:
    """Return it."""
    return PI * radius**2  # not a phrase
'''


@pytest.mark.parametrize("lesson", load(), ids=lambda lesson: lesson.name)
def test_a_lesson_passes_its_own_checks(
    lesson: Lesson, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert holds(lesson.source, list(lesson.checks))


@pytest.mark.parametrize("lesson", load(), ids=lambda lesson: lesson.name)
def test_a_body_that_does_nothing_fails(
    lesson: Lesson, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    tree = ast.parse(lesson.source)
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            node.body = [ast.Pass()]
    # What is None or was never written may also make a check raise.
    with contextlib.suppress(TypeError, AttributeError, FileNotFoundError):
        assert not holds(ast.unparse(tree), list(lesson.checks))


def test_names_and_phrases_belong_to_one_lesson_only() -> None:
    lessons = load()
    phrases = Counter(phrase.lower() for lesson in lessons for phrase in (*lesson.phrases, lesson.held_out))
    assert [phrase for phrase, count in phrases.items() if count > 1] == []
    assert [name for name, count in Counter(lesson.name for lesson in lessons).items() if count > 1] == []


def test_phrases_are_requests_in_lower_case_of_one_sentence() -> None:
    for lesson in load():
        for phrase in (*lesson.phrases, lesson.held_out):
            assert phrase[0].islower() or phrase[0].isdigit(), phrase
            assert not phrase.endswith("."), phrase


def test_a_held_out_phrase_has_no_word_that_training_lacks() -> None:
    lessons = load()
    known = {word for lesson in lessons for phrase in lesson.phrases for word in phrase.split()}
    unknown = {word for lesson in lessons for word in lesson.held_out.split() if word not in known}
    assert unknown == set()


def test_a_lesson_is_its_phrases_checks_and_the_imports_it_uses(tmp_path: Path) -> None:
    (tmp_path / "b.py").write_text(GOOD.replace("area", "later"), encoding="utf-8")
    (tmp_path / "a.py").write_text(GOOD, encoding="utf-8")
    (tmp_path / "_helper.py").write_text("def helper(): pass\n", encoding="utf-8")
    first, second = load(tmp_path)
    assert (first.name, second.name) == ("area", "later")
    assert (first.phrases, first.held_out) == (("one", "two", "three"), "four")
    assert first.checks == ("area(0) == 0", "area(1) > 3")
    assert first.source == "from math import pi as PI\n\n\n" + GOOD[GOOD.index("def area") :]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("# four\n", r"bad\.py:10: area needs at least 4 lines '# phrase' directly above it, not 3"),
        ("#: area(0) == 0\n#: area(1) > 3\n", r"bad\.py:9: area needs a line '#: check'"),
        ('    """Return it."""\n', r"bad\.py:11: area needs a docstring"),
    ],
)
def test_an_incomplete_lesson_is_named_with_its_line(tmp_path: Path, line: str, message: str) -> None:
    text = GOOD
    for part in line.splitlines(keepends=True):
        text = text.replace(part, "")
    (tmp_path / "bad.py").write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match=message):
        load(tmp_path)


def test_right_code_passes() -> None:
    assert passes(ADD, ADD.source)
    assert passes(ADD, "from operator import add\nprint('noise')\n")


@pytest.mark.parametrize(
    "code",
    [
        "def add(a, b):\n    return a - b\n",
        "def add(a, b):\n    return 3\n",
        "def add(a, b)\n    return a + b\n",
        "def add(a, b):\n    return Path\n",
        "import sys\nsys.exit(0)\n",
        "import os\nos._exit(0)\n",
        "",
        "x = 'a' * (1 << 32)\ndef add(a, b):\n    return a + b\n",
    ],
    ids=["wrong", "one check", "syntax", "helper", "exit", "hard exit", "empty", "memory"],
)
def test_wrong_code_fails(code: str) -> None:
    assert not passes(ADD, code)


def test_code_that_never_ends_fails() -> None:
    assert not passes(ADD, "while True:\n    pass\n", time_limit_s=0.5)
