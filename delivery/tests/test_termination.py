"""The termination message."""

from pathlib import Path

import pytest

from codemodel_delivery.termination import write_termination_message


@pytest.mark.parametrize(
    ("message", "written"),
    [
        ("two\n lines", "two lines"),
        ("é" * 5000, "é" * 2048),
        ("x" + "é" * 5000, "x" + "é" * 2047),
        ("a path \udcff", "a path ?"),
    ],
    ids=["lines", "long", "cut inside a character", "not UTF-8"],
)
def test_it_is_one_line_of_whole_characters(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, message: str, written: str
) -> None:
    path = tmp_path / "log"
    monkeypatch.setenv("TERMINATION_LOG", str(path))
    write_termination_message(message)
    assert path.read_text(encoding="utf-8") == written


def test_a_file_that_cannot_be_written_is_no_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERMINATION_LOG", str(tmp_path / "none" / "log"))
    write_termination_message("x")
