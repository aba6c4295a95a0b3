"""Who is in memory: sequence numbers, cells, and the prefixes that are kept for others."""

from collections.abc import Collection

from codemodel_server.engines.llama_cpp.prefixes import Memory, PrefixTree
from codemodel_server.engines.llama_cpp.sequence import Sequence


class Room:
    """Places for running sequences in a memory of so many cells; one thread at a time.

    A sequence is let in only if it can be finished: the most cells that all running ones may come to hold are there.
    What is left over keeps prefixes, which make room when they have to.

    Args:
        memory: where the cells are.
        cells: how many.
        places: how many sequences may run.
        prefixes: sequence numbers for prefixes, beside those for running sequences; none keeps none.
        look_seconds: what a token that is computed costs for each cell that it looks past.
    """

    def __init__(self, memory: Memory, cells: int, places: int, prefixes: range, look_seconds: float) -> None:
        self.cells = cells
        self._look_seconds = look_seconds
        self.tree = PrefixTree(memory, prefixes)
        self._memory = memory
        self._places = list(reversed(range(places)))

    def enter(self, sequence: Sequence, running: Collection[Sequence]) -> bool:
        """Gives a sequence its number and the prefix that was read before; False if there is no room yet."""
        if not self._places:
            return False
        tree = self.tree
        # At least one token is read, for what follows it to be chosen.
        known = sequence.prompt[: len(sequence.prompt) - 1 if sequence.request.share_prefix else 0]
        number = self._places[-1]
        node = tree.acquire(known, number)
        needed = sum(_unshared(other) for other in running) + sequence.cells - node.end
        if needed + tree.locked_cells() > self.cells:
            tree.release(node)
            self._memory.remove(number)
            return False
        sequence.id = self._places.pop()
        sequence.node = node
        sequence.position = sequence.cached = node.end
        return True

    def catch_up(self, sequence: Sequence) -> None:
        """Lets a sequence that reads take over what others have read meanwhile."""
        node = sequence.node
        if node is None or not sequence.request.share_prefix or sequence.position != node.end:
            return
        known = sequence.prompt[:-1]
        if self.tree.match(known) <= node.end:
            return
        sequence.node = self.tree.acquire(known, sequence.id, node.end)
        self.tree.release(node)
        sequence.cached += sequence.node.end - sequence.position
        sequence.position = sequence.node.end

    def publish(self, sequence: Sequence) -> None:
        """Lets others use what a sequence has in memory."""
        if sequence.node is not None and sequence.request.share_prefix:
            sequence.node = self.tree.extend(sequence.node, sequence.in_memory(), sequence.id)

    def make(self, tokens: int, running: Collection[Sequence]) -> bool:
        """Frees cells for so many tokens, as far as nobody uses them; returns whether there are as many."""
        missing = self.used(running) + tokens - self.cells
        return missing <= 0 or self.tree.evict(missing) >= missing

    def age(self, tokens: int) -> None:
        """Notes that so many tokens were computed, each of which looked past what is kept."""
        self.tree.age(tokens * self._look_seconds)

    def expire(self, seconds_per_token: float) -> None:
        """Drops prefixes that have cost more than they are worth, by what reading a token takes."""
        self.tree.expire(seconds_per_token)

    def leave(self, sequence: Sequence) -> None:
        """Gives a sequence's place away; what it has read is kept for others while there is room."""
        if sequence.node is None:
            return
        self.publish(sequence)
        self.tree.release(sequence.node)
        self._memory.remove(sequence.id)
        self._places.append(sequence.id)
        sequence.node = None

    def used(self, running: Collection[Sequence]) -> int:
        """Cells in use, those of prefixes included."""
        return self.tree.cells() + sum(s.position - s.node.end for s in running if s.node is not None)


def _unshared(sequence: Sequence) -> int:
    """The most cells that a running sequence may come to hold alone."""
    return sequence.cells - (sequence.node.end if sequence.node is not None else 0)
