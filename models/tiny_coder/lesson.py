"""Reads the lessons of `lessons/` and tells whether code passes the checks of one."""

import ast
import io
import json
import subprocess
import sys
import tempfile
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from models.tiny_coder.lessons._checking import HELD

LESSONS = Path(__file__).parent / "lessons"
FEWEST_PHRASES = 4
TIME_LIMIT_S = 5.0

Definition = ast.FunctionDef | ast.ClassDef


@dataclass(frozen=True)
class Lesson:
    """A function or class, how to ask for it, and what is true of it."""

    name: str
    phrases: tuple[str, ...]
    """Requests to train with."""
    held_out: str
    """One more request, never trained with: whether it is answered shows what was understood."""
    checks: tuple[str, ...]
    """Python expressions that are true after `source` has run."""
    source: str
    """The imports that the definition uses, two blank lines, and the definition; ends with a newline."""


def load(folder: Path = LESSONS) -> list[Lesson]:
    """Return the lessons of the modules in `folder`, sorted by file and position.

    Raises ValueError, with file and line, for a lesson without a docstring, without a check, or with fewer than
    `FEWEST_PHRASES` phrases, and SyntaxError for a file that is not Python.
    """
    files = sorted(file for file in folder.glob("*.py") if not file.name.startswith("_"))
    return [lesson for file in files for lesson in _read(file)]


def passes(lesson: Lesson, code: str, time_limit_s: float = TIME_LIMIT_S) -> bool:
    """Return whether `code` passes the checks of `lesson`, tried in a child interpreter in an empty folder.

    False for code that fails in any way, also by a syntax error or by taking longer than `time_limit_s` seconds.
    """
    harness = (LESSONS / "_checking.py").read_text(encoding="utf-8")
    with tempfile.TemporaryDirectory() as folder:
        try:
            child = subprocess.run(
                [sys.executable, "-I", "-c", harness],
                input=json.dumps({"code": code, "checks": lesson.checks}),
                text=True,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                cwd=folder,
                timeout=time_limit_s,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return False
    return child.returncode == HELD


def _read(file: Path) -> Iterator[Lesson]:
    text = file.read_text(encoding="utf-8")
    lines = text.splitlines()
    comments = _comments(text)
    imports: dict[str, str] = {}
    for node in ast.parse(text, str(file)).body:
        if isinstance(node, ast.Import | ast.ImportFrom):
            imports |= _imports(node)
        elif isinstance(node, Definition):
            start = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
            body = "\n".join(lines[start - 1 : node.end_lineno]) + "\n"
            used = {name.id for name in ast.walk(node) if isinstance(name, ast.Name)}
            head = "\n".join(line for name, line in imports.items() if name in used)
            phrases, checks = _above(start, comments)
            if problem := _problem(node, phrases, checks):
                raise ValueError(f"{file}:{start}: {node.name} {problem}")
            source = f"{head}\n\n\n{body}" if head else body
            yield Lesson(node.name, tuple(phrases[:-1]), phrases[-1], tuple(checks), source)


def _comments(text: str) -> dict[int, str]:
    """Return the comments that start a line, by the number of the line."""
    tokens = tokenize.generate_tokens(io.StringIO(text).readline)
    return {t.start[0]: t.string for t in tokens if t.type == tokenize.COMMENT and t.start[1] == 0}


def _imports(node: ast.Import | ast.ImportFrom) -> dict[str, str]:
    """Return the names that an import binds, each with a statement that binds it alone."""
    origin = f"from {node.module} " if isinstance(node, ast.ImportFrom) else ""
    return {alias.asname or alias.name: f"{origin}import {ast.unparse(alias)}" for alias in node.names}


def _above(line: int, comments: dict[int, str]) -> tuple[list[str], list[str]]:
    """Return the phrases and the checks in the comments directly above a line."""
    first = line
    while first - 1 in comments:
        first -= 1
    block = [comments[number] for number in range(first, line)]
    checks = [comment[2:].strip() for comment in block if comment.startswith("#:")]
    return [comment[1:].strip() for comment in block if not comment.startswith("#:")], checks


def _problem(node: Definition, phrases: list[str], checks: list[str]) -> str | None:
    if len(phrases) < FEWEST_PHRASES:
        return f"needs at least {FEWEST_PHRASES} lines '# phrase' directly above it, not {len(phrases)}"
    if not checks:
        return "needs a line '#: check' directly above it"
    if not ast.get_docstring(node):
        return "needs a docstring"
    return None
