"""The search for the breaking point: which rate is tried next, and what a try says. Without I/O."""

from collections.abc import Awaitable, Callable

from e2e.load.results import Confirmation, Phase, StressFindings, Summary
from e2e.load.scenario import PhasePlan, Ramp

Attempt = Callable[[PhasePlan], Awaitable[Phase]]


def broken(summary: Summary, ramp: Ramp) -> str | None:
    """Return how a step broke, in words; None if it did not."""
    if summary.success_rate is not None and summary.success_rate < ramp.success_below:
        return f"success {summary.success_rate:.1%}, below {ramp.success_below:.0%}"
    if summary.latency and summary.latency.p90 > ramp.latency_above_seconds:
        return f"latency {summary.latency.p90:.1f} s (p90), above {ramp.latency_above_seconds:g} s"
    return None


async def search(ramp: Ramp, attempt: Attempt) -> StressFindings:
    """Raise the rate until a step breaks, then try the two rates around that point again.

    Args:
        ramp: rates and bounds.
        attempt: runs a phase to its last answer.
    """
    last_good: float | None = None
    for rate in ramp.rates():
        phase = await attempt(ramp.attempt(rate, f"{rate:g} rps"))
        if not phase.valid:
            reason = f"ended at {rate:g} requests per second, where the generator was the bottleneck"
            return StressFindings(
                breaking_point_rate=None, last_good_rate=last_good, reason=reason, confirmations=[]
            )
        if how := broken(phase.summary, ramp):
            confirmations = [
                await _confirm(ramp, attempt, last_good, rate, number + 1)
                for number in range(ramp.confirmations)
            ]
            return StressFindings(
                breaking_point_rate=rate, last_good_rate=last_good, reason=how, confirmations=confirmations
            )
        last_good = rate
    reason = f"did not break up to {ramp.last:g} requests per second, the highest rate tried"
    return StressFindings(breaking_point_rate=None, last_good_rate=last_good, reason=reason, confirmations=[])


async def _confirm(ramp: Ramp, attempt: Attempt, good: float | None, bad: float, number: int) -> Confirmation:
    held = None
    if good is not None:
        below = await attempt(ramp.attempt(good, f"{good:g} rps, again ({number})"))
        held = broken(below.summary, ramp) is None
    above = await attempt(ramp.attempt(bad, f"{bad:g} rps, again ({number})"))
    return Confirmation(last_good_held=held, breaking_point_broke=broken(above.summary, ramp) is not None)
