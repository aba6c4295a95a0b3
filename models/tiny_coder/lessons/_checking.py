"""Runs code and its checks in the child interpreter that `lesson.passes` starts: the standard library only.

This keeps a model's honest mistakes away from the caller; it is no sandbox for hostile code.
"""

import contextlib
import io
import json
import os
import resource
import sys
from collections.abc import Callable
from pathlib import Path

HELD = 43
"""Exit status when every check holds. Not 0, as code that calls `os._exit(0)` must not pass."""

MEMORY_BYTES = 1 << 30
"""Address space of the child: code that only ever appends fails before it hurts the machine."""


def printed(call: Callable[..., object], *arguments: object) -> str:
    """Return what `call(*arguments)` writes to the standard output."""
    output = io.StringIO()
    with contextlib.redirect_stdout(output):
        call(*arguments)
    return output.getvalue()


def raises(error: type[Exception], call: Callable[..., object], *arguments: object) -> bool:
    """Return whether `call(*arguments)` raises `error`."""
    try:
        call(*arguments)
    except error:
        return True
    return False


def saved(text: str, name: str = "saved.txt") -> str:
    """Write `text` to the file `name` in the working folder and return that name."""
    Path(name).write_text(text, encoding="utf-8")
    return name


def holds(code: str, checks: list[str]) -> bool:
    """Return whether `code` runs and every one of `checks` is then true; what the code raises, this raises."""
    names: dict[str, object] = {"__name__": "lesson"}
    exec(compile(code, "<code>", "exec"), names)  # noqa: S102 - to run code is what this module is for
    # The helpers are for the checks alone: code that forgets an import must fail.
    helpers = {"printed": printed, "raises": raises, "saved": saved, "Path": Path}
    return all(eval(check, {**helpers, **names}) is True for check in checks)  # noqa: S307


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    asked = json.load(sys.stdin)
    try:
        held = holds(asked["code"], asked["checks"])
    except BaseException:  # also SystemExit, which the code may raise
        held = False
    os._exit(HELD if held else 1)  # not sys.exit: neither threads nor atexit of the code may keep it alive
