"""What the next step computes: tokens for the streams first, then parts of prompts. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from codemodel_server.engines.base import Priority
from codemodel_server.engines.llama_cpp.prefixes import LEAST_SHARED, Tokens, common_prefix

INFILL_STEPS = 2
"""While an infill is under way, conversations take part in one of so many steps: somebody waits at the cursor."""


@dataclass(frozen=True, slots=True, eq=False)
class Reader:
    """A generation under way, as the plan sees it.

    Attributes:
        key: names it.
        priority: who comes first.
        arrival: when it came, in seconds.
        prompt: all that it has to read, shape (n,).
        position: how many of these it has read.
        shares: whether it takes over what others have read.
    """

    key: int
    priority: Priority
    arrival: float
    prompt: Tokens
    position: int
    shares: bool

    @property
    def unread(self) -> int:
        """Tokens still to be read; 0 for one that writes."""
        return len(self.prompt) - self.position


def plan(readers: Sequence[Reader], step: int, chunk: int, seconds_per_token: float) -> dict[int, int]:
    """How many tokens of each generation the next step computes.

    Args:
        readers: all generations under way.
        step: its number.
        chunk: how many tokens of prompts may be read.
        seconds_per_token: of reading, to tell who would be done first.

    Returns:
        Tokens by key, those that write (1 token each) first; generations that have to wait are left out.
    """
    chosen = {reader.key: 1 for reader in writers(readers, step)}
    ahead: list[Reader] = []
    for reader in sorted(_turn_to_read(readers, step), key=lambda r: _done_at(r, seconds_per_token)):
        if chunk <= 0:
            break
        if any(_follows(reader, other) for other in ahead):
            continue
        count = min(chunk, reader.unread)
        chosen[reader.key] = count
        chunk -= count
        ahead.append(reader)
    return chosen


def writers(readers: Sequence[Reader], step: int) -> list[Reader]:
    """Those that get a token in a step."""
    return [
        r for r in readers if not r.unread and (r.priority is Priority.INFILL or _all_turn(readers, step))
    ]


def _turn_to_read(readers: Sequence[Reader], step: int) -> list[Reader]:
    waiting = [reader for reader in readers if reader.unread]
    if _all_turn(readers, step):
        return waiting
    return [reader for reader in waiting if reader.priority is Priority.INFILL]


def _all_turn(readers: Sequence[Reader], step: int) -> bool:
    return step % INFILL_STEPS == 0 or all(reader.priority is not Priority.INFILL for reader in readers)


def _done_at(reader: Reader, seconds_per_token: float) -> tuple[int, float]:
    """Infill first; then who would have been done first if it had been alone since it came.

    A short prompt overtakes a long one, but not for ever: the long one's time comes nearer.
    """
    return reader.priority, reader.arrival + len(reader.prompt) * seconds_per_token


def _follows(reader: Reader, other: Reader) -> bool:
    """Whether the other is about to read what this one needs, too, so that it had better wait and take it over."""
    if not (reader.shares and other.shares) or other.position < reader.position:
        return False
    return common_prefix(reader.prompt, other.prompt) - other.position >= LEAST_SHARED
