"""Grammars of strangers: whatever they make llama.cpp do, only the answer that follows them ends."""

import json
import os
import signal
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from codemodel_server.cancellation import Cancellation
from codemodel_server.engines.events import Text
from codemodel_server.engines.llama_cpp.engine import LlamaCppEngine
from codemodel_server.engines.llama_cpp.grammar import grammar_of_schema
from codemodel_server.engines.llama_cpp.native.grammars import Grammar, Grammars, Mask
from codemodel_server.engines.llama_cpp.native.model import NativeModel
from codemodel_server.errors import InvalidRequestError
from inference_server.tests.engines.llama_cpp.asking import ask, request
from inference_server.tests.support import eventually

# Without limits, llama.cpp takes gigabytes for the first two, hours for the third, and the stack for the last.
ENDLESS = 'root ::= "a"{5,2}'
EXPONENTIAL = (
    "root ::= r0\n" + "".join(f"r{i} ::= r{i + 1} r{i + 1}\n" for i in range(24)) + 'r24 ::= "x" | ""'
)
AMBIGUOUS = "root ::= " + '"a"? ' * 600
DEEP = "root ::= " + "(" * 100_000 + '"a"' + ")" * 100_000
HOSTILE = pytest.mark.parametrize(
    "grammar",
    [ENDLESS, EXPONENTIAL, AMBIGUOUS, DEEP],
    ids=["endless", "exponential", "ambiguous", "deep"],
)


@pytest.fixture(scope="module")
def model(small_model: Path) -> Iterator[NativeModel]:
    loaded = NativeModel(small_model)
    yield loaded
    loaded.close()


@pytest.fixture
def grammars(model: NativeModel) -> Iterator[Grammars]:
    begun = Grammars(model.path, model.vocabulary_size)
    yield begun
    begun.close()


def children(process: int) -> set[int]:
    """The processes that a process has begun and that have not ended."""
    found = set()
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            state, parent = (folder / "stat").read_text().rpartition(")")[2].split()[:2]
        except OSError:
            continue
        if int(parent) == process and state != "Z":
            found.add(int(folder.name))
    return found


def alive(process: int) -> bool:
    """Whether a process has not ended; who adopted it may not have noticed yet."""
    try:
        return (Path("/proc") / str(process) / "stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def take(grammar: Grammar, token: int) -> Mask | None:
    grammar.propose(token)
    return grammar.taken()


def token_of(model: NativeModel, text: str) -> int:
    first, *_ = model.tokenize(text, add_special=False, parse_special=False)
    return first


def test_tokens_are_taken_as_long_as_they_may_come_next(model: NativeModel, grammars: Grammars) -> None:
    grammar = grammars.begin('root ::= "y" | "n"')
    yes, no = token_of(model, "y"), token_of(model, "n")
    allowed = take(grammar, token_of(model, "x"))
    assert allowed is not None
    assert {int(token) for token in allowed.nonzero()[0]} == {yes, no}
    assert take(grammar, no) is None
    # Nothing may follow but the end.
    allowed = take(grammar, yes)
    assert allowed is not None
    assert all(model.is_end(int(token)) for token in allowed.nonzero()[0])


@HOSTILE
def test_a_grammar_that_runs_wild_is_refused_and_others_go_on(
    model: NativeModel, grammars: Grammars, grammar: str
) -> None:
    other = grammars.begin('root ::= "y"*')
    yes = token_of(model, "y")
    assert take(other, yes) is None
    with pytest.raises(InvalidRequestError, match=r"too much memory|too large") as refused:
        take(grammars.begin(grammar), token_of(model, "x"))
    assert refused.value.field == "grammar"
    assert take(other, yes) is None
    assert take(grammars.begin('root ::= "y"'), yes) is None


@HOSTILE
def test_an_answer_goes_on_beside_a_grammar_that_runs_wild(engine: LlamaCppEngine, grammar: str) -> None:
    asked = request("def add(a, b):\n", 200, logprobs=1, share_prefix=False)
    alone = ask(engine, asked)
    with pytest.raises(InvalidRequestError):
        ask(engine, request("x", grammar=grammar))
    refusals: list[InvalidRequestError] = []

    def run_wild() -> None:
        try:
            ask(engine, request("x", grammar=grammar))
        except InvalidRequestError as error:
            refusals.append(error)

    wild = threading.Thread(target=run_wild)
    wild.start()
    beside = ask(engine, asked)
    wild.join()
    assert len(refusals) == 1
    assert beside.end.completion_tokens == alone.end.completion_tokens


def test_what_clients_ask_for_is_far_from_the_limits(model: NativeModel, grammars: Grammars) -> None:
    properties = {f"property{number}": {"type": "string", "maxLength": 500} for number in range(100)}
    for schema, text in (
        ({"type": "object", "properties": properties}, '{"property7": "abc'),
        (
            {"type": "array", "items": {"enum": [f"value {n}" for n in range(1000)]}, "maxItems": 500},
            '["value 7',
        ),
        ({}, '{"a": [1, 2.5e7, {"b": null}]}'),
    ):
        grammar = grammars.begin(grammar_of_schema(json.dumps(schema)))
        for token in model.tokenize(text, add_special=False, parse_special=False):
            assert take(grammar, token) is None


TREE = {
    "$defs": {"Node": {"type": "object", "properties": {"next": {"$ref": "#/$defs/Node"}}, "required": []}},
    "$ref": "#/$defs/Node",
}


@pytest.mark.parametrize(
    ("schema", "texts"),
    [
        ({"enum": ["a\nb", "C:\\temp", "\U0001f600", 'a"b']}, ["a\nb", "C:\\temp", "\U0001f600", 'a"b']),
        ({"type": "object", "properties": {'a"\\b': {"const": 1}}, "required": ['a"\\b']}, [{'a"\\b': 1}]),
        (TREE, [{}, {"next": {"next": {}}}]),
        ({"type": "string", "pattern": "^\\d{3}-[\\w-]+\\.py\\s?$"}, ["123-a_b-c.py", "123-x.py "]),
        ({"type": "integer", "exclusiveMinimum": -12, "maximum": 305.5}, [-11, 0, 99, 305]),
        ({"type": ["integer", "null"], "minimum": 1}, [1, 10**15, None]),
    ],
    ids=["constants", "names", "references", "patterns", "bounds", "types"],
)
def test_what_a_schema_allows_can_be_written(
    model: NativeModel, grammars: Grammars, schema: Any, texts: list[Any]
) -> None:
    grammar = grammar_of_schema(json.dumps(schema))
    for text in texts:
        written = json.dumps(text, ensure_ascii=False)
        following = grammars.begin(grammar)
        for token in model.tokenize(written, add_special=False, parse_special=False):
            assert take(following, token) is None, written


@pytest.mark.parametrize(
    ("schema", "wrong"),
    [
        (
            {"type": "integer", "minimum": -11, "exclusiveMaximum": 306},
            ["-12", "-111", "306", "3050", "-0", "01"],
        ),
        ({"type": "integer", "minimum": 0, "exclusiveMinimum": True}, ["0", "-1"]),
        ({"type": ["integer", "null"], "minimum": 1}, ["0", "-1"]),
        (
            {"type": "object", "properties": {"n": {"type": "integer", "maximum": 9}}, "required": ["n"]},
            ['{"n": 10'],
        ),
    ],
)
def test_integers_beyond_their_bounds_cannot_be_written(
    model: NativeModel, grammars: Grammars, schema: Any, wrong: list[str]
) -> None:
    grammar = grammar_of_schema(json.dumps(schema))
    for text in wrong:
        following = grammars.begin(grammar)
        tokens = model.tokenize(text + "\n", add_special=False, parse_special=False)
        assert any(take(following, token) is not None for token in tokens), text


@pytest.mark.parametrize("raw", ["\n", "\t", "\x7f"])
@pytest.mark.parametrize(
    ("schema", "begun"),
    [({"type": "string"}, '"'), ({"type": "string", "maxLength": 9}, '"'), ({"type": "object"}, '{"')],
)
def test_what_is_no_json_cannot_be_written(
    model: NativeModel, grammars: Grammars, schema: Any, begun: str, raw: str
) -> None:
    following = grammars.begin(grammar_of_schema(json.dumps(schema)))
    for token in model.tokenize(begun, add_special=False, parse_special=False):
        assert take(following, token) is None
    assert take(following, token_of(model, raw)) is not None


def test_a_grammars_process_ends_with_it_and_all_end_in_the_end(grammars: Grammars) -> None:
    before = children(os.getpid())
    grammar = grammars.begin('root ::= "y"')
    (root,) = children(os.getpid()) - before
    assert len(children(root)) == 1
    del grammar
    eventually(lambda: not children(root), "its process gone")
    left = grammars.begin('root ::= "y"')
    with pytest.raises(InvalidRequestError):
        grammars.begin("root ::= (")
    eventually(lambda: len(children(root)) == 1, "the refused one's process gone")
    (process,) = children(root)
    grammars.close()
    assert root not in children(os.getpid())
    del left
    eventually(lambda: not alive(process), "the last one gone")


def test_grammars_go_on_after_the_process_that_they_come_from_was_killed(
    model: NativeModel, grammars: Grammars
) -> None:
    before = children(os.getpid())
    kept = grammars.begin('root ::= "y"')
    (root,) = children(os.getpid()) - before
    os.kill(root, signal.SIGKILL)
    eventually(lambda: root not in children(os.getpid()), "it gone")
    yes = token_of(model, "y")
    assert take(grammars.begin('root ::= "y"'), yes) is None
    assert take(kept, yes) is None


def test_answers_do_not_wait_for_a_grammar_that_takes_its_time(engine: LlamaCppEngine) -> None:
    """It stays within its limits for each token; others get many meanwhile."""
    rules = range(1500)
    begins = " | ".join(f'"x" r{number}' for number in rules)
    grammar = f"root ::= ({begins})\n"
    grammar += "\n".join(f'r{number} ::= "y" r{number} | "z" r{number} | "{number}"' for number in rules)
    slow = engine.prepare(request("x", 200, grammar=grammar)).run(cancellation := Cancellation())
    received = 0

    def receive() -> None:
        nonlocal received
        for event in slow:
            received += len(event.tokens) if isinstance(event, Text) else 0

    receiver = threading.Thread(target=receive)
    receiver.start()
    eventually(lambda: received > 0, "its first token")
    before = received
    plain = ask(engine, request("def add(a, b):\n", 200, logprobs=1, share_prefix=False))
    assert plain.end.completion_tokens == 200
    assert received - before < 100
    cancellation.cancel()
    receiver.join()
