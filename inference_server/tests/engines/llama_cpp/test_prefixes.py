"""The tree of prefixes: what it hands out is what was read, and its accounts are right."""

from collections import defaultdict

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from codemodel_server.engines.llama_cpp.prefixes import (
    FIRST_GUESS,
    LEAST_SHARED,
    Node,
    PrefixTree,
    Tokens,
    common_prefix,
)

RUNNING = 3


class CheckedMemory:
    """Cells as llama.cpp keeps them: each has a position, a token, and the sequences that it belongs to."""

    def __init__(self) -> None:
        self.cells: list[tuple[int, int, set[int]]] = []

    def read(self, sequence: int, begin: int, tokens: Tokens) -> None:
        self.cells += [(begin + at, int(token), {sequence}) for at, token in enumerate(tokens)]

    def share(self, source: int, target: int, begin: int, end: int) -> None:
        for position, _, owners in self.cells:
            if begin <= position < end and source in owners:
                owners.add(target)

    def remove(self, sequence: int, begin: int = 0, end: int = -1) -> None:
        for position, _, owners in self.cells:
            if position >= begin and (end < 0 or position < end):
                owners.discard(sequence)
        self.cells = [cell for cell in self.cells if cell[2]]

    def content(self, sequence: int) -> list[int]:
        """A sequence's tokens by position; each position once."""
        found: dict[int, list[int]] = defaultdict(list)
        for position, token, owners in self.cells:
            if sequence in owners:
                found[position].append(token)
        assert all(len(tokens) == 1 for tokens in found.values()), "a position is there twice"
        assert sorted(found) == list(range(len(found))), "a position is missing"
        return [found[position][0] for position in sorted(found)]


def tokens(*values: int) -> Tokens:
    return np.array(values, np.int32)


def run_through(tree: PrefixTree, memory: CheckedMemory, sequence: int, text: Tokens) -> tuple[Node, int]:
    """Reads a text as the scheduler does; returns its node, and how much it did not have to read."""
    node = tree.acquire(text[:-1], sequence)
    known = node.end
    assert memory.content(sequence) == list(text[:known])
    memory.read(sequence, known, text[known:])
    node = tree.extend(node, text, sequence)
    assert memory.content(sequence) == list(text)
    return node, known


def leave(tree: PrefixTree, memory: CheckedMemory, sequence: int, node: Node) -> None:
    tree.release(node)
    memory.remove(sequence)
    assert tree.cells() == len(memory.cells)


# Few different tokens and long equal beginnings, so that texts part inside of nodes.
TEXTS = st.builds(
    lambda shared, rest: tokens(*([7] * shared), *rest),
    st.integers(0, 60),
    st.lists(st.integers(0, 2), min_size=1, max_size=40),
)


@settings(max_examples=200, deadline=None)
@given(st.lists(TEXTS, min_size=1, max_size=20), st.integers(0, 6), st.integers(0, 50))
def test_a_sequence_gets_exactly_the_tokens_that_it_asked_for(
    texts: list[Tokens], numbers: int, pressure: int
) -> None:
    memory = CheckedMemory()
    tree = PrefixTree(memory, range(RUNNING, RUNNING + numbers))
    running: dict[int, Node] = {}
    for turn, text in enumerate(texts):
        sequence = turn % RUNNING
        if sequence in running:
            tree.release(running.pop(sequence))
            memory.remove(sequence)
        running[sequence], _ = run_through(tree, memory, sequence, text)
        held = {number: memory.content(number) for number in running}
        tree.evict(pressure)
        assert {number: memory.content(number) for number in running} == held, "a running sequence lost cells"
    for sequence, node in running.items():
        tree.release(node)
        memory.remove(sequence)
    assert tree.cells() == len(memory.cells)
    assert tree.locked_cells() == 0
    tree.evict(1_000_000)
    assert not memory.cells
    assert tree.cells() == 0


def test_a_second_request_reads_only_what_is_new() -> None:
    memory = CheckedMemory()
    tree = PrefixTree(memory, range(RUNNING, 20))
    shared = np.arange(50, dtype=np.int32)
    node, _ = run_through(tree, memory, 0, np.concatenate([shared, tokens(91, 92)]))
    leave(tree, memory, 0, node)
    node, known = run_through(tree, memory, 1, np.concatenate([shared, tokens(93)]))
    assert known == 50
    assert tree.cells() == 53


def test_two_that_read_the_same_at_once_keep_it_once() -> None:
    memory = CheckedMemory()
    tree = PrefixTree(memory, range(RUNNING, 20))
    text = np.arange(40, dtype=np.int32)
    nodes = [tree.acquire(text[:-1], sequence) for sequence in (0, 1)]
    for sequence in (0, 1):
        memory.read(sequence, 0, text)
    nodes = [tree.extend(node, text, sequence) for sequence, node in enumerate(nodes)]
    assert tree.cells() == len(memory.cells) == 40
    assert nodes[0] is nodes[1]


def test_a_short_beginning_is_not_worth_a_node() -> None:
    memory = CheckedMemory()
    tree = PrefixTree(memory, range(RUNNING, 20))
    node, _ = run_through(tree, memory, 0, np.arange(40, dtype=np.int32))
    leave(tree, memory, 0, node)
    other = np.concatenate([np.arange(LEAST_SHARED - 1), np.arange(100, 120)]).astype(np.int32)
    assert run_through(tree, memory, 1, other)[1] == 0


def test_the_longest_unused_goes_first_and_what_runs_stays() -> None:
    memory = CheckedMemory()
    tree = PrefixTree(memory, range(RUNNING, 20))
    old, young, running = (np.arange(at, at + 20, dtype=np.int32) for at in (0, 100, 200))
    for text in (old, young):
        node, _ = run_through(tree, memory, 0, text)
        leave(tree, memory, 0, node)
    run_through(tree, memory, 0, running)
    assert tree.evict(20) == 20
    assert (tree.match(old), tree.match(young), tree.match(running)) == (0, 20, 20)
    assert tree.evict(1_000) == 20
    assert tree.match(running) == 20


def test_a_tree_without_numbers_keeps_nothing() -> None:
    memory = CheckedMemory()
    tree = PrefixTree(memory, [])
    node, known = run_through(tree, memory, 0, np.arange(40, dtype=np.int32))
    leave(tree, memory, 0, node)
    assert known == 0
    assert not memory.cells


def test_common_prefix() -> None:
    assert common_prefix(tokens(1, 2, 3), tokens(1, 2, 4)) == 2
    assert common_prefix(tokens(1, 2), tokens(1, 2, 4)) == 2
    assert common_prefix(tokens(), tokens(1)) == 0


def test_what_costs_more_than_it_is_worth_is_dropped_and_what_was_asked_for_again_stays_longer() -> None:
    memory = CheckedMemory()
    tree = PrefixTree(memory, range(RUNNING, 20))
    once, again = (np.arange(at, at + 20, dtype=np.int32) for at in (0, 100))
    for text in (once, again, again):
        node, _ = run_through(tree, memory, 0, text)
        leave(tree, memory, 0, node)
    tree.expire(seconds_per_token=1.0)
    assert (tree.match(once), tree.match(again)) == (20, 20)
    tree.age(0.5)
    tree.expire(seconds_per_token=1.0)
    assert (tree.match(once), tree.match(again)) == (0, 20 - 1)
    tree.age(1.0)
    tree.expire(seconds_per_token=1.0)
    assert tree.cells() == len(memory.cells) == 0


def test_a_few_words_in_common_do_not_make_a_text_worth_keeping() -> None:
    """Every prompt begins with the same token, and many with the same word."""
    memory = CheckedMemory()
    tree = PrefixTree(memory, range(RUNNING, 40))
    texts = [
        np.array([1, 2 + number % 2, *range(at, at + 30)], np.int32)
        for number, at in enumerate(range(100, 700, 100))
    ]
    for text in texts:
        node, _ = run_through(tree, memory, 0, text)
        leave(tree, memory, 0, node)
    tree.age(FIRST_GUESS * 1.1)
    tree.expire(seconds_per_token=1.0)
    assert max(tree.match(text) for text in texts) <= 2
