"""Python in what a model writes."""

import ast
import re


def code_of(answer: str) -> str:
    """Return the code in the first fence of an answer, empty if there is none."""
    found = re.search(r"^```[^\n]*\n(.*?)^```", answer + "\n", re.DOTALL | re.MULTILINE)
    return found[1] if found else ""


def parses(code: str) -> bool:
    """Tell whether it is Python."""
    try:
        ast.parse(code)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True
