"""What was read before and is still in memory: a radix tree of token prefixes, each stored once.

A node stands for some tokens behind those of its parent and owns their cells through a sequence number of its own, so
that it outlives the requests that read them. Sharing cells costs no copy and no computation (`NativeContext.share`).
"""

from collections.abc import Iterator, Sequence
from itertools import count
from typing import Protocol

import numpy as np
import numpy.typing as npt

Tokens = npt.NDArray[np.int32]

LEAST_SHARED = 16
"""A beginning of fewer tokens in common is not worth a node."""

FIRST_GUESS = 1 / 16
"""How likely a prefix is asked for again, before there is experience."""

_LEAST_LIKELY = 1 / 64
_NEWEST_WEIGHT = 0.05


class Memory(Protocol):
    """The part of `NativeContext` that the tree needs."""

    def share(self, source: int, target: int, begin: int, end: int) -> None:
        """Lets cells of `source` belong to `target`, too."""

    def remove(self, sequence: int, begin: int = 0, end: int = -1) -> None:
        """Takes cells away from a sequence."""


class Node:
    """Tokens at positions from `begin` to before `end`, behind those of `parent`.

    Attributes:
        sequence: the number that owns their cells.
        users: running generations whose beginning ends with this node.
        used: when it was last asked for, in ticks.
        held: what a cell had cost by then, in seconds since the tree was made.
        proven: whether another request than the one that read it has asked for it.
    """

    def __init__(self, sequence: int, begin: int, tokens: Tokens, parent: "Node | None") -> None:
        self.sequence = sequence
        self.begin = begin
        self.tokens = tokens
        self.parent = parent
        self.children: dict[int, Node] = {}
        self.users = 0
        self.used = 0
        self.held = 0.0
        self.proven = False

    @property
    def end(self) -> int:
        """The position behind its last token."""
        return self.begin + len(self.tokens)

    def locked(self) -> bool:
        """Whether a running generation stands on it or behind it."""
        return self.users > 0 or any(child.locked() for child in self.children.values())


class PrefixTree:
    """All prefixes in memory; one thread at a time.

    Args:
        memory: where the cells are.
        sequences: the sequence numbers that nodes may own; none makes a tree that keeps nothing.
    """

    def __init__(self, memory: Memory, sequences: Sequence[int]) -> None:
        self._memory = memory
        self._free = list(sequences)
        self._ticks = count(1)
        self._cells = 0
        self._held = 0.0
        self._likelihood = FIRST_GUESS
        self.root = Node(-1, 0, np.zeros(0, np.int32), None)

    def match(self, tokens: Tokens) -> int:
        """How many of the first tokens are in memory."""
        node, inside = self._walk(tokens)
        return node.end if inside is None else inside[1]

    def acquire(self, tokens: Tokens, sequence: int, begin: int = 0) -> Node:
        """Gives a running sequence the longest prefix of `tokens` that is in memory.

        Args:
            tokens: what it is to read.
            sequence: its number.
            begin: it holds the tokens before this position already.

        Returns:
            The node that its beginning ends with, to be given to `release`; its `end` tokens need not be read.
        """
        node, inside = self._walk(tokens)
        if inside is not None and inside[1] - node.end >= LEAST_SHARED:
            node = self._split(*inside) or node
        node.users += 1
        self._touch(node)
        for step in _path(node):
            if not step.proven:
                step.proven = True
                # That many texts begin with the same few words says nothing about the others.
                if step.end >= LEAST_SHARED:
                    self._learn(1.0)
            if step.end > begin:
                self._memory.share(step.sequence, sequence, max(begin, step.begin), step.end)
        return node

    def extend(self, node: Node, tokens: Tokens, sequence: int) -> Node:
        """Puts what a running sequence has read behind its node into the tree.

        Args:
            node: what its beginning ends with so far; it is released.
            tokens: all that it has read.
            sequence: its number.

        Returns:
            The node that its beginning ends with now, acquired. Its `end` is less than the number of tokens if there
            is no number left for a node.
        """
        while node.end < len(tokens):
            step = self._descend(node, tokens, sequence) or self._append(node, tokens, sequence)
            if step is None:
                break
            node = step
        self._touch(node)
        return node

    def release(self, node: Node) -> None:
        """A running generation has ended that stood on a node."""
        node.users -= 1
        self._touch(node)

    def evict(self, cells: int) -> int:
        """Frees so many cells of those that nobody uses, the longest unused first; returns how many it could."""
        freed = 0
        while freed < cells and (leaf := self._oldest()) is not None:
            share = min(cells - freed, len(leaf.tokens))
            freed += share
            self._trim(leaf, share)
        return freed

    def age(self, seconds: float) -> None:
        """Notes what keeping a cell has cost since the last call."""
        self._held += seconds

    def expire(self, seconds_per_token: float) -> None:
        """Drops what has cost too much since it was last asked for.

        Args:
            seconds_per_token: what reading a token again would cost.
        """
        for leaf in list(self._idle()):
            patience = seconds_per_token * (1 if leaf.proven else self._likelihood)
            if self._held - leaf.held > patience:
                self._trim(leaf, len(leaf.tokens))

    def cells(self) -> int:
        """How many cells its nodes own."""
        return self._cells

    def locked_cells(self) -> int:
        """How many of these running generations stand on: they cannot be freed."""
        return sum(len(node.tokens) for node in self._nodes() if node.locked())

    def _walk(self, tokens: Tokens) -> tuple[Node, tuple[Node, int] | None]:
        """The last node that is whole a prefix of `tokens`, and the child and position where they part inside one."""
        node = self.root
        while node.end < len(tokens) and (child := node.children.get(int(tokens[node.end]))) is not None:
            common = child.begin + common_prefix(child.tokens, tokens[child.begin :])
            if common < child.end:
                return node, (child, common)
            node = child
        return node, None

    def _descend(self, node: Node, tokens: Tokens, sequence: int) -> Node | None:
        """Steps to a child that holds the next tokens already: the sequence gives its own copies of them away."""
        child = node.children.get(int(tokens[node.end]))
        if child is None:
            return None
        common = child.begin + common_prefix(child.tokens, tokens[child.begin :])
        if common < child.end:
            upper = self._split(child, common)
            if upper is None:
                return None
            child = upper
        self._memory.remove(sequence, child.begin, child.end)
        self._memory.share(child.sequence, sequence, child.begin, child.end)
        node.users -= 1
        child.users += 1
        return child

    def _append(self, node: Node, tokens: Tokens, sequence: int) -> Node | None:
        if int(tokens[node.end]) in node.children:
            return None  # The place is taken by a node that could not be split.
        if node.parent is not None and not node.children and node.users == 1:
            self._memory.share(sequence, node.sequence, node.end, len(tokens))
            self._cells += len(tokens) - node.end
            node.tokens = tokens[node.begin :].copy()
            return node
        number = self._number()
        if number is None:
            return None
        leaf = Node(number, node.end, tokens[node.end :].copy(), node)
        node.children[int(leaf.tokens[0])] = leaf
        self._cells += len(leaf.tokens)
        self._memory.share(sequence, number, leaf.begin, leaf.end)
        node.users -= 1
        leaf.users += 1
        return leaf

    def _split(self, node: Node, at: int) -> Node | None:
        """Makes a parent of a node's tokens before position `at`; None if there is no number left for it."""
        # Whoever uses the node needs all of it: the lower part keeps its users.
        node.users += 1
        number = self._number()
        node.users -= 1
        parent = node.parent
        if number is None or parent is None:
            return None
        upper = Node(number, node.begin, node.tokens[: at - node.begin], parent)
        self._memory.share(node.sequence, number, upper.begin, at)
        self._memory.remove(node.sequence, node.begin, at)
        parent.children[int(upper.tokens[0])] = upper
        node.tokens = node.tokens[at - node.begin :]
        node.begin, node.parent = at, upper
        upper.children[int(node.tokens[0])] = node
        upper.used, upper.held, upper.proven = node.used, node.held, node.proven
        return upper

    def _number(self) -> int | None:
        if not self._free and (leaf := self._oldest()) is not None:
            self._trim(leaf, len(leaf.tokens))
        return self._free.pop() if self._free else None

    def _oldest(self) -> Node | None:
        return min(self._idle(), key=lambda node: node.used, default=None)

    def _idle(self) -> Iterator[Node]:
        """The nodes that can be dropped."""
        return (node for node in self._nodes() if not node.children and node.users == 0)

    def _trim(self, leaf: Node, tokens: int) -> None:
        self._memory.remove(leaf.sequence, leaf.end - tokens, leaf.end)
        self._cells -= tokens
        if tokens < len(leaf.tokens):
            leaf.tokens = leaf.tokens[:-tokens]
            return
        if not leaf.proven:
            self._learn(0.0)
        self._free.append(leaf.sequence)
        if leaf.parent is not None:
            del leaf.parent.children[int(leaf.tokens[0])]

    def _learn(self, asked_again: float) -> None:
        self._likelihood += _NEWEST_WEIGHT * (asked_again - self._likelihood)
        self._likelihood = max(_LEAST_LIKELY, self._likelihood)

    def _nodes(self) -> Iterator[Node]:
        waiting = [*self.root.children.values()]
        while waiting:
            node = waiting.pop()
            yield node
            waiting.extend(node.children.values())

    def _touch(self, node: Node) -> None:
        tick = next(self._ticks)
        for step in _path(node):
            step.used = tick
            step.held = self._held


def _path(node: Node) -> Iterator[Node]:
    """A node and those above it, the root left out."""
    while node.parent is not None:
        yield node
        node = node.parent


def common_prefix(one: Tokens, other: Tokens) -> int:
    """How many tokens two texts have in common at their beginning."""
    length = min(len(one), len(other))
    different = np.nonzero(one[:length] != other[:length])[0]
    return int(different[0]) if len(different) else length
