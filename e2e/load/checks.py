"""Whether the generator kept up with its own plan. Pure.

A generator that sends late, or looks late at what came, measures itself. Its p99 delay is about what it can add to a
p99 that it measures, so the two are compared.
"""

from collections.abc import Sequence

from e2e.load.results import Checks, Request, Summary
from e2e.load.statistics import percentile

MAX_DELAY_SECONDS = 0.05
MAX_DELAY_FRACTION = 0.1
"""Bound of the p99 of both delays: so many seconds, or this share of the p99 of the time to the first token, if that is
more. A tenth is what can be told from run to run; below 50 ms, a machine that does other work delays everything."""

MIN_SENT_FRACTION = 0.95
"""As the success rate that stress asks of the target: a generator has to do no worse."""

MAX_CPU_FRACTION = 0.9
"""Of one CPU, over a whole phase: beyond it, requests queue in the generator's one thread."""


def check(
    requests: Sequence[Request],
    end: float,
    loop_delays: Sequence[float],
    cpu_fraction: float,
    *,
    closed: bool,
) -> Checks:
    """Return what the generator saw of itself.

    Args:
        requests: those of the phase.
        end: of the phase, on their clock.
        loop_delays: how late each of the generator's clock ticks came in it, seconds.
        cpu_fraction: CPU time of the generator's thread over the phase's time.
        closed: whether arrivals were; they have no rate to keep.
    """
    delays = sorted(request.sent - request.scheduled for request in requests)
    in_time = sum(request.sent <= end + MAX_DELAY_SECONDS for request in requests)
    return Checks(
        schedule_delay_p99=percentile(delays, 99) if delays else None,
        loop_delay_p99=percentile(sorted(loop_delays), 99) if loop_delays else None,
        sent_fraction=None if closed or not requests else in_time / len(requests),
        cpu_fraction=cpu_fraction,
    )


def max_delay(summary: Summary) -> float:
    """Return the bound of the p99 of both delays, in seconds, for a phase with this summary."""
    measured = summary.ttft or summary.latency
    return max(MAX_DELAY_SECONDS, MAX_DELAY_FRACTION * measured.p99 if measured else 0)


def problems(checks: Checks, summary: Summary) -> list[str]:
    """Return why the generator was the bottleneck; empty if it was not."""
    found, most = [], max_delay(summary)
    for what, delay in (
        ("requests were sent late", checks.schedule_delay_p99),
        ("the generator did not get to run in time", checks.loop_delay_p99),
    ):
        if delay is not None and delay > most:
            found.append(f"{what}: {delay:.3f} s at the 99th percentile, more than {most:.3f} s")
    if checks.sent_fraction is not None and checks.sent_fraction < MIN_SENT_FRACTION:
        found.append(
            f"only {checks.sent_fraction:.1%} of the asked rate was sent, less than {MIN_SENT_FRACTION:.0%}"
        )
    if checks.cpu_fraction > MAX_CPU_FRACTION:
        found.append(
            f"the generator used {checks.cpu_fraction:.0%} of its CPU, more than {MAX_CPU_FRACTION:.0%}: "
            "give it a machine of its own"
        )
    return found
