"""The line that tells how a run goes. Pure, but for the writing at the end."""

import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TextIO

from e2e.load.results import Request
from e2e.load.scenario import Closed, PhasePlan
from e2e.load.statistics import distribution

RECENT = 50
"""The line's success and latency are of so many requests at the end."""

LINE_SECONDS = 10.0
"""Where the output is no terminal, a new line comes so often."""


@dataclass(frozen=True)
class Status:
    """How a run stands."""

    scenario: str
    plan: PhasePlan
    index: int
    """Of the phase under way."""

    seconds: float
    """Since that phase began."""

    requests: Sequence[Request]
    """Ended so far, of all phases."""

    under_way: int
    ready: int | None
    """Replicas that are ready; None if the target does not tell."""


def line(status: Status) -> str:
    """Return the state in one line."""
    plan, ended = status.plan, status.requests
    here = [request for request in ended[-RECENT:] if request.phase == status.index]
    parts = [f"{status.scenario}: {plan.name}, {status.seconds:.0f} s"]
    if plan.seconds is not None:
        parts[0] = (
            f"{status.scenario}: {plan.name}, {min(status.seconds, plan.seconds):.0f} of {plan.seconds:g} s"
        )
    if isinstance(plan.arrivals, Closed):
        parts.append(f"{plan.arrivals.clients} clients")
    else:
        parts.append(f"{plan.arrivals.rate:g} rps asked")
    parts.append(f"{len(ended)} ended, {status.under_way} under way")
    if here:
        parts.append(f"{sum(request.succeeded for request in here) / len(here):.0%} succeed")
    if latency := distribution(request.latency for request in here if request.succeeded):
        parts.append(f"p50 {latency.p50:.2f} s")
    if status.ready is not None:
        parts.append(f"{status.ready} ready")
    return " · ".join(parts)


class Printer:
    """Keeps one line up to date on a terminal; elsewhere writes a new one now and then.

    Args:
        out: where to.
        clock: seconds, monotonic.
    """

    def __init__(self, out: TextIO = sys.stderr, clock: Callable[[], float] = time.monotonic) -> None:
        self._out, self._clock = out, clock
        self._width = 0
        self._next = 0.0
        self._phase: tuple[str, int] | None = None

    def show(self, status: Status) -> None:
        """Show a state, if it is time to."""
        if self._out.isatty():
            text = line(status)
            self._out.write(f"\r{text.ljust(self._width)}")
            self._out.flush()
            self._width = len(text)
        elif self._clock() >= self._next or (status.scenario, status.index) != self._phase:
            self._out.write(f"{line(status)}\n")
            self._out.flush()
            self._next = self._clock() + LINE_SECONDS
        self._phase = (status.scenario, status.index)

    def clear(self) -> None:
        """Take the line away, so that something else can be written."""
        if self._width:
            self._out.write(f"\r{' ' * self._width}\r")
            self._out.flush()
            self._width = 0
