"""Figures of runs, and what they come to: lines of JSON that say whether a goal was met."""

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from e2e import benchmark

Figures = Mapping[str, float]
"""What one run measured, by name."""


@dataclass(frozen=True, slots=True)
class Goal:
    """What is to be true of one figure.

    Attributes:
        figure: its name.
        unit: what it counts.
        peer: who it is compared with; None compares with nobody, and the figure itself is held against the target.
        target: the ratio ours / theirs to be reached; None only reports.
        at_least: whether more is better.
        noise: by how much the ratio may miss the target.
    """

    figure: str
    unit: str
    peer: str | None
    target: float | None
    at_least: bool = False
    noise: float = 0.0

    def met(self, value: float | None) -> bool | None:
        """Whether this ratio, or figure without a peer, is good enough; None without a target."""
        if self.target is None:
            return None
        if value is None:
            return False
        return value >= self.target - self.noise if self.at_least else value <= self.target + self.noise


def medians(runs: Sequence[Figures]) -> dict[str, float]:
    """The median of each figure over the runs that have it."""
    names = dict.fromkeys(name for run in runs for name in run)
    return {name: statistics.median(run[name] for run in runs if name in run) for name in names}


def line(goal: Goal, ours: Figures, theirs: Figures | None) -> str:
    """One case as a line of JSON.

    Args:
        goal: what is to be true.
        ours: our medians.
        theirs: the peer's; None for a goal without one.
    """
    mine = ours[goal.figure]
    other = None if theirs is None else theirs[goal.figure]
    ratio = mine / other if other else None
    decisive = mine if goal.peer is None else ratio
    return benchmark.line(
        "server",
        goal.figure if goal.peer is None else f"{goal.figure}, {goal.peer}",
        goal.unit,
        mine,
        other,
        ratio=ratio,
        target=goal.target,
        ok=goal.met(decisive),
    )
