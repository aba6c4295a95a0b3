"""How training goes: first the language, then the tasks."""

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
    """

    steps: int
    length: int
    mix: Mix
    begin: float
    end: float
    emphasis: float = 1.0


LANGUAGE = Mix(plain=0.42, holes=0.36, functions=0.12, lessons=0.10)
TASKS = Mix(plain=0.20, holes=0.50, functions=0.12, lessons=0.18)


@dataclass(frozen=True, slots=True)
class Plan:
    """All phases of training.

    Attributes:
        shape: of the model.
        phases: one after another.
        tokens: of a step.
        matrix_rate: highest learning rate of the matrices (Muon).
        other_rate: highest learning rate of embedding and norms (Adam).
    """

    shape: Shape = field(default_factory=Shape)
    phases: tuple[Phase, ...] = (
        Phase(30, 256, LANGUAGE, 1 / 30, 31 / 30),
        Phase(450, 256, LANGUAGE, 1.0, 1.0),
        Phase(224, 256, TASKS, 1.0, 0.3, emphasis=4),
        Phase(96, 1024, TASKS, 0.3, 0.0, emphasis=4),
    )
    tokens: int = 16_384
    matrix_rate: float = 0.02
    other_rate: float = 0.004

    @property
    def steps(self) -> int:
        """How many there are in all."""
        return sum(phase.steps for phase in self.phases)

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
    (Phase(30, 128, LANGUAGE, 1.0, 1.0), Phase(10, 256, TASKS, 1.0, 0.0, emphasis=4)),
    tokens=2048,
)
"""A minute's training of a model that can do nothing, to see that all works."""
