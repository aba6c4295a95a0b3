"""Which generations are under way, for engines that keep no such list themselves."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from typing import Protocol

from codemodel_server.engines.base import Slot


class Progress(Protocol):
    """What is known about a generation.

    Attributes:
        prompt_tokens: tokens of its prompt; 0 if unknown.
        generated: tokens generated so far.
    """

    prompt_tokens: int
    generated: int


class UnderWay:
    """Numbers generations as long as they run; any thread may use it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._generations: dict[int, Progress] = {}

    @contextmanager
    def entered(self, generation: Progress) -> Iterator[None]:
        """A context in which the generation is under way."""
        with self._lock:
            number = next(number for number in count() if number not in self._generations)
            self._generations[number] = generation
        try:
            yield
        finally:
            with self._lock:
                del self._generations[number]

    def slots(self) -> tuple[Slot, ...]:
        """How far each has come."""
        with self._lock:
            return tuple(
                Slot(number, one.prompt_tokens, one.prompt_tokens, one.generated, 0)
                for number, one in sorted(self._generations.items())
            )
