"""Requests and the code that answers them: functions of the library by what they say, lessons by their phrases."""

import ast
import random
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

from models.tiny_coder import tokens
from models.tiny_coder.corpus import Source

_REQUESTS = (
    "{phrase}",
    "{Phrase}",
    "{Phrase}.",
    "{phrase} in Python",
    "Write a function to {phrase}",
    "Write a Python function to {phrase}.",
    "write python code to {phrase}",
    "Write code to {phrase}",
    "Please {phrase}.",
    "Can you {phrase}?",
    "How do I {phrase} in Python?",
    "How can I {phrase}?",
    "I want to {phrase}",
    "Show me how to {phrase}",
    "# {phrase}",
)
_LONGEST_PURPOSE, _LONGEST_FUNCTION = 200, 1500
"""Characters of a function that is learned as the answer to a request: most of it has to fit into a row."""


@dataclass(frozen=True, slots=True)
class Request:
    """A request and the code that answers it."""

    text: str
    code: str

    def document(self) -> str:
        """Return both as the chat template writes them."""
        return f"{tokens.USER}{self.text}{tokens.ASSISTANT}{fenced(self.code)}{tokens.END_OF_TEXT}"


def headers(source: str) -> list[str]:
    """Return how a definition begins: its first line, as it stands and without types, and with its docstring."""
    (found,) = (node for node in ast.parse(source).body if isinstance(node, ast.FunctionDef | ast.ClassDef))
    line = source.splitlines()[found.lineno - 1]
    begun = f'{line}\n    """{ast.get_docstring(found)}"""\n'
    if isinstance(found, ast.ClassDef):
        return [line, begun]
    for each in ast.walk(found.args):
        if isinstance(each, ast.arg):
            each.annotation = None
    return [line, begun, f"def {found.name}({ast.unparse(found.args)}):"]


def fenced(code: str) -> str:
    """Return code as a chat answers with it."""
    return f"```python\n{code.strip()}\n```"


@dataclass(frozen=True, slots=True)
class Function:
    """A function that says what it does.

    Attributes:
        head: name and parameters.
        purpose: the first paragraph of its docstring.
        code: all of it, at the left margin.
        begun: its code up to the end of the docstring.
    """

    head: str
    purpose: str
    code: str
    begun: str


def functions(source: Source) -> list[Function]:
    """Return the functions and methods that say in a docstring what they do, and are not too long."""
    try:
        tree = ast.parse(source.text)
    except SyntaxError:  # tests of wrong syntax
        return []
    found, text = [], source.text.encode().splitlines(keepends=True)
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and (said := ast.get_docstring(node)):
            purpose = " ".join(said.split("\n\n")[0].split())
            code = _segment(text, node)
            if len(purpose) <= _LONGEST_PURPOSE and len(code) <= _LONGEST_FUNCTION and len(node.body) > 1:
                code = textwrap.dedent(code)
                lines = code.splitlines(keepends=True)[: (node.body[0].end_lineno or 0) - node.lineno + 1]
                head = f"{node.name}({ast.unparse(node.args)})"
                found.append(Function(head, purpose, code, "".join(lines)))
    return found


def _segment(lines: Sequence[bytes], node: ast.stmt) -> str:
    """Return a statement as it is indented; `ast.get_source_segment` would split the whole file anew each time."""
    last = (node.end_lineno or node.lineno) - 1
    whole = [*lines[node.lineno - 1 : last], lines[last][: node.end_col_offset]]
    return b"".join(whole).decode()


def requests(function: Function) -> list[Request]:
    """Ask for a function in words, by its first line, and by how it begins."""
    begun = f'def {function.head}:\n    """{function.purpose}"""\n'
    in_words = f"Write the function {function.head}. {function.purpose}"
    asked = (in_words, function.purpose, f"def {function.head}:", begun)
    return [Request(text, function.code) for text in asked]


def request(phrase: str, choose: random.Random) -> str:
    """Ask for something in one of the ways that people ask."""
    return choose.choice(_REQUESTS).format(phrase=phrase, Phrase=phrase[0].upper() + phrase[1:])
