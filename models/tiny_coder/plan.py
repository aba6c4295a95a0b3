"""How training goes: first the language, then the tasks, then the cursor, and what that made it forget."""

from dataclasses import dataclass, field

import numpy as np

from models.tiny_coder.examples import Mix
from models.tiny_coder.network import Shape


@dataclass(frozen=True, slots=True)
class Phase:
    """Steps of one kind.

    Attributes:
        steps: how many.
        length: of a row, in tokens.
        mix: what the rows are of.
        begin: part of the highest learning rate at the first step; from there in a straight line ...
        end: ... to this, at the first step behind the phase.
        emphasis: how much more a token of what was in a hole counts than any other: there are few.
        ending: how much more again the end of what was in a hole counts: it is the hardest to foretell.
        tokens: of a step.
    """

    steps: int
    length: int
    mix: Mix
    begin: float
    end: float
    emphasis: float = 1.0
    ending: float = 1.0
    tokens: int = 16_384

    @property
    def rows(self) -> int:
        """How many a step has."""
        return self.tokens // self.length


LANGUAGE = Mix(plain=0.42, holes=0.36, functions=0.12, lessons=0.10)
TASKS = Mix(plain=0.20, holes=0.50, functions=0.12, lessons=0.18)
CURSOR = Mix(plain=0.06, holes=0.0, functions=0.06, lessons=0.13, cursors=0.75)
ALL = Mix(plain=0.06, holes=0.0, functions=0.10, lessons=0.42, cursors=0.42)


@dataclass(frozen=True, slots=True)
class Plan:
    """All phases of training.

    Attributes:
        shape: of the model.
        phases: one after another.
        matrix_rate: highest learning rate of the matrices (Muon).
        other_rate: highest learning rate of embedding and norms (Adam).
    """

    shape: Shape = field(default_factory=Shape)
    phases: tuple[Phase, ...] = (
        Phase(30, 256, LANGUAGE, 1 / 30, 31 / 30),
        Phase(450, 256, LANGUAGE, 1.0, 1.0),
        Phase(224, 256, TASKS, 1.0, 0.3, emphasis=4),
        Phase(96, 1024, TASKS, 0.3, 0.0, emphasis=4),
        # What fills a hole, where it ends, and how likely it is to end there.
        Phase(20, 256, CURSOR, 0.02, 0.42, emphasis=8, tokens=8192),
        Phase(62, 256, CURSOR, 0.4, 0.352, emphasis=8, tokens=8192),
        Phase(99, 256, CURSOR, 0.352, 0.275, emphasis=8, ending=4, tokens=8192),
        Phase(119, 256, CURSOR, 0.275, 0.12, emphasis=8, ending=2, tokens=8192),
        Phase(30, 1024, CURSOR, 0.12, 0.0, emphasis=8, ending=2, tokens=8192),
        Phase(64, 256, ALL, 0.15, 0.0, emphasis=8, ending=2, tokens=8192),
    )
    matrix_rate: float = 0.02
    other_rate: float = 0.004

    @property
    def steps(self) -> int:
        """How many there are in all."""
        return sum(phase.steps for phase in self.phases)

    def tokens(self, steps: int) -> int:
        """Return how many the first steps take."""
        return sum(self.phase(step).tokens for step in range(steps))

    def phase(self, step: int) -> Phase:
        """Return the phase of a step.

        Raises:
            IndexError: there is no such step.
        """
        for phase in self.phases:
            if step < phase.steps:
                return phase
            step -= phase.steps
        raise IndexError("training has ended")

    def rates(self) -> "np.ndarray[tuple[int], np.dtype[np.float32]]":
        """Return the part of the highest learning rate, (steps,)."""
        parts = [np.linspace(each.begin, each.end, each.steps, endpoint=False) for each in self.phases]
        return np.concatenate(parts).astype(np.float32)


SHORT = Plan(
    Shape(vocabulary=1024, width=64, heads=2, shared_heads=1, feed_forward=128, layers=2),
    (
        Phase(30, 128, LANGUAGE, 1.0, 1.0, tokens=2048),
        Phase(10, 256, TASKS, 1.0, 0.5, emphasis=4, tokens=2048),
        Phase(10, 256, CURSOR, 0.5, 0.0, emphasis=8, ending=4, tokens=2048),
    ),
)
"""A minute's training of a model that can do nothing, to see that all works."""
