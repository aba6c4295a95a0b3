"""Where a stress run broke, judged anew from its raw requests. Pure, but for reading the scenario's limits."""

from collections.abc import Sequence
from dataclasses import dataclass

from e2e.load.results import Results
from e2e.load.scenario import Ramp, ScenarioError
from e2e.load.scenario import load as load_scenario
from e2e.load.stress import broken
from e2e.report.runs import Part


@dataclass(frozen=True)
class Curve:
    """The phases of a stress run by what they were for."""

    search: Sequence[Part]
    """The first try of each rate, rates rising."""

    again: Sequence[Part]
    """Rates that were tried once more."""


@dataclass(frozen=True)
class Breaking:
    """What a search found. Rates are requests per second."""

    rate: float | None
    """The lowest one that broke; None if none did."""

    last_good: float | None
    """The highest one before it that did not break."""

    reason: str | None
    """What broke."""

    confirmed: int
    tried_again: int
    """How many more valid tries of the two rates there were, and how many of them came out as the first one did."""


def curve(parts: Sequence[Part]) -> Curve:
    """Tell the search from what was tried again to confirm it; phases without a rate or requests are neither."""
    search: list[Part] = []
    again: list[Part] = []
    seen: set[float] = set()
    for part in parts:
        if part.phase.arrivals.rate is None or not part.requests:
            continue
        (again if rate_of(part) in seen else search).append(part)
        seen.add(rate_of(part))
    return Curve(sorted(search, key=rate_of), again)


def rate_of(part: Part) -> float:
    """Return the rate that was asked for, in requests/s; 0 for a phase that asked for none."""
    return part.phase.arrivals.rate or 0.0


def ramp_of(results: Results) -> Ramp | None:
    """Return what the run was to try, and what counts as broken; None if it is not the scenario of this name."""
    try:
        return load_scenario(results.scenario).profile(results.profile).ramp
    except ScenarioError:
        return None


def judge(found: Curve, ramp: Ramp) -> Breaking:
    """Return where it broke. What the generator could not send is no proof that the target breaks."""
    trusted = [part for part in found.search if part.phase.valid]
    bad = next((part for part in trusted if broken(part.summary, ramp)), None)
    good = [part for part in trusted if bad is None or rate_of(part) < rate_of(bad)]
    return Breaking(
        rate=rate_of(bad) if bad else None,
        last_good=rate_of(good[-1]) if good else None,
        reason=broken(bad.summary, ramp) if bad else None,
        confirmed=sum(
            part.phase.valid
            and bad is not None
            and (broken(part.summary, ramp) is not None) == (rate_of(part) == rate_of(bad))
            for part in found.again
        ),
        tried_again=sum(part.phase.valid for part in found.again),
    )
