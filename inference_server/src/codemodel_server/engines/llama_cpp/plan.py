"""Whose turn it is: who gets a token in a step, and whose prompt is read in it. Pure."""

import math
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


@dataclass(frozen=True, slots=True)
class Readings:
    """What is read of prompts.

    Attributes:
        inside: how many tokens the step itself reads, by key, who is first served first.
        beside: whose prompt is read beside the steps; None is nobody's.
    """

    inside: dict[int, int]
    beside: int | None = None


def readings(
    readers: Sequence[Reader],
    step: int,
    tokens: int,
    seconds_per_token: float,
    *,
    longest: float = math.inf,
    begun: int | None = None,
) -> Readings:
    """Whose prompts are read next; those that have to wait are left out.

    Args:
        readers: all generations under way.
        step: its number.
        tokens: how many the step may read.
        seconds_per_token: of reading, to tell who would be done first.
        longest: longer prompts are read beside the steps, one at a time, as far as they are longer.
        begun: the key of one of which a part is being read beside the steps: no step reads it.
    """
    inside: dict[int, int] = {}
    ahead = [reader for reader in readers if reader.key == begun]
    for reader in _in_turn(readers, step, seconds_per_token):
        if reader.key == begun:
            return Readings(inside, begun)
        if any(_follows(reader, other) for other in ahead):
            continue
        # Somebody at the cursor does not wait for a part of somebody else's prompt.
        if reader.unread > longest and (begun is None or reader.priority is not Priority.INFILL):
            # Who comes behind it waits, as behind any other whose turn it is.
            return Readings(inside, reader.key if begun is None else begun)
        if tokens > 0:
            inside[reader.key] = min(tokens, reader.unread)
            tokens -= inside[reader.key]
        ahead.append(reader)
    return Readings(inside)


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
