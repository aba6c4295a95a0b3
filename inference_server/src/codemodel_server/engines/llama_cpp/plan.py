"""Whose turn it is: who gets a token in a step, and whose prompt is read in it. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from codemodel_server.engines.llama_cpp.prefixes import LEAST_SHARED, Tokens, common_prefix
from codemodel_server.engines.request import Priority

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


def readings(readers: Sequence[Reader], step: int, tokens: int, seconds_per_token: float) -> dict[int, int]:
    """How many tokens of prompts the next step reads.

    Args:
        readers: all generations under way.
        step: its number.
        tokens: how many may be read.
        seconds_per_token: of reading, to tell who would be done first.

    Returns:
        Tokens by key, who is first served first; those that have to wait are left out.
    """
    chosen: dict[int, int] = {}
    ahead: list[Reader] = []
    for reader in _in_turn(readers, step, seconds_per_token):
        if tokens <= 0:
            break
        if any(_follows(reader, other) for other in ahead):
            continue
        chosen[reader.key] = min(tokens, reader.unread)
        tokens -= chosen[reader.key]
        ahead.append(reader)
    return chosen


def writers(readers: Sequence[Reader], step: int) -> list[Reader]:
    """Those that get a token in a step."""
    return [reader for reader in _on_turn(readers, step) if not reader.unread]


def _in_turn(readers: Sequence[Reader], step: int, seconds_per_token: float) -> list[Reader]:
    """Those with something to read in a step, who is next first."""
    waiting = [reader for reader in _on_turn(readers, step) if reader.unread]
    return sorted(waiting, key=lambda reader: _done_at(reader, seconds_per_token))


def _on_turn(readers: Sequence[Reader], step: int) -> Sequence[Reader]:
    """All, but infills alone in most steps while there are any."""
    infills = [reader for reader in readers if reader.priority is Priority.INFILL]
    return infills if infills and step % INFILL_STEPS else readers


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
