"""Runs over time: a spike, and a soak with its memory."""

from collections.abc import Mapping, Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from e2e.load.results import Request, Sample, Slope
from e2e.load.soak import WARM_UP
from e2e.report.formats import mebibytes, number
from e2e.report.runs import Run
from e2e.report.series import Bin, bins, width
from e2e.report.style import (
    BLUE,
    COLOURS,
    DASHES,
    GREY,
    ORANGE,
    PURPLE,
    VERMILION,
    canvas,
    from_zero,
    warn,
)

_SECONDS_A_MINUTE, _SECONDS_AN_HOUR = 60, 3600


def spike(run: Run, warnings: Sequence[str]) -> Figure:
    """Draw the rate and each answer's latency over time, with the phases' borders."""
    begin, end = span(run)
    found = bins(run.results.requests, begin, end, width(end - begin))
    figure, (rate, latency) = canvas(2, height=6.6, shared=True)
    warn(figure, warnings)
    rate.set_title("Spike: requests sent")
    rate.stairs([one.rate for one in found], [begin, *(one.end for one in found)], color=BLUE, linewidth=1.8)
    rate.set_ylabel("load (requests/s)")
    latency.set_title("Each request, by when it was scheduled")
    scatter(latency, run.results.requests, 0)
    latency.set(xlabel="time since the run began (s)", ylabel="latency (s)")
    for axes in (rate, latency):
        from_zero(axes, room=0.25)
    for part in run.parts:
        for axes in (rate, latency):
            axes.axvline(part.phase.begin, color=GREY, linewidth=0.9, linestyle=":")
        name_moment(rate, part.label, part.phase.begin)
    figure.align_ylabels()
    return figure


def scatter(axes: Axes, requests: Sequence[Request], offset: float) -> None:
    """Draw each request's latency, those that failed apart, and a legend.

    Args:
        axes: where.
        requests: in any order.
        offset: seconds that are added to their times.
    """
    kinds = ((True, BLUE, ".", "answered"), (False, VERMILION, "x", "failed or refused"))
    for succeeded, colour, marker, label in kinds:
        found = [request for request in requests if request.succeeded == succeeded]
        times, latencies = [one.scheduled + offset for one in found], [one.latency for one in found]
        if found:
            axes.plot(times, latencies, marker, color=colour, markersize=5, alpha=0.7, label=label)
    handles, labels = axes.get_legend_handles_labels()
    if named := dict(zip(labels, handles, strict=True)):  # once, however many runs are drawn
        axes.legend(named.values(), named.keys(), loc="upper right", ncols=2, fontsize=9)


def name_moment(axes: Axes, text: str, at: float, row: int = 0) -> None:
    """Write beside a moment, in a row from the top, what begins there."""
    axes.annotate(
        text,
        (at, 1),
        (4, -2 - 13 * row),
        ("data", "axes fraction"),
        "offset points",
        color=GREY,
        va="top",
        fontsize=9,
    )


def soak(
    run: Run, memory_slopes: Mapping[str, Slope], latency_slope: Slope | None, warnings: Sequence[str]
) -> Figure:
    """Draw each replica's memory and the latency over time, each with its trend."""
    figure, (memory, latency) = canvas(2, height=7.0, shared=True)
    warn(figure, warnings)
    memory.set_title("Soak: memory of each replica's process")
    _memory(memory, run.results.samples, memory_slopes)
    latency.set_title("Latency")
    _latency(latency, run, latency_slope)
    figure.align_ylabels()
    return figure


def _memory(axes: Axes, samples: Sequence[Sample], slopes: Mapping[str, Slope]) -> None:
    for order, (name, points) in enumerate(memory_of(samples).items()):
        trend = f", trend {_signed(mebibytes(slopes[name].slope))} MiB/h" if name in slopes else ""
        axes.plot(
            [at / _SECONDS_A_MINUTE for at, _ in points],
            [mebibytes(used) for _, used in points],
            color=COLOURS[order % len(COLOURS)],
            linestyle=DASHES[order % len(DASHES)],
            label=f"{name}{trend}",
        )
    axes.set_ylabel("memory (MiB)")
    from_zero(axes)
    if axes.lines:
        axes.legend(loc="lower left", fontsize=9)
    else:
        text = "the target did not tell its memory"
        axes.annotate(text, (0.5, 0.5), xycoords="axes fraction", ha="center", color=GREY)


def _latency(axes: Axes, run: Run, slope: Slope | None) -> None:
    begin, end = span(run)
    found = bins(run.results.requests, begin, end, width(end - begin))
    _percentile(axes, found, "p50", BLUE)
    _percentile(axes, found, "p99", PURPLE)
    if slope:
        begin += WARM_UP * (end - begin)  # the trend is of what comes after
        half = (end - begin) / 2 / _SECONDS_AN_HOUR
        ends = [slope.median - slope.slope * half, slope.median + slope.slope * half]
        minutes = [begin / _SECONDS_A_MINUTE, end / _SECONDS_A_MINUTE]
        label = f"trend {_signed(slope.slope)} s/h"
        axes.plot(minutes, ends, color=ORANGE, linestyle="--", label=label)
    axes.set(ylabel="latency (s)", xlabel="time since the run began (min)")
    from_zero(axes, room=0.3)
    if axes.lines:
        axes.legend(loc="upper left", ncols=3, fontsize=9)


def memory_of(samples: Sequence[Sample]) -> dict[str, list[tuple[float, int]]]:
    """Return seconds and bytes of each replica that tells its memory."""
    found: dict[str, list[tuple[float, int]]] = {}
    for sample in samples:
        for replica in sample.replicas:
            if replica.memory_bytes is not None:
                found.setdefault(replica.name, []).append((sample.at, replica.memory_bytes))
    return found


def span(run: Run) -> tuple[float, float]:
    """Return when the first phase began and the last one ended, in seconds since the run began."""
    phases = run.results.phases
    return phases[0].begin, max(phase.end for phase in phases)


def _percentile(axes: Axes, found: Sequence[Bin], name: str, colour: str) -> None:
    points = [(one.middle / _SECONDS_A_MINUTE, getattr(one.latency, name)) for one in found if one.latency]
    if points:
        seconds = found[0].end - found[0].begin
        label = f"{name} of every {seconds:g} s"
        axes.plot(
            [at for at, _ in points], [value for _, value in points], color=colour, marker=".", label=label
        )


def _signed(value: float) -> str:
    return f"{'+' if value > 0 else ''}{number(value)}"
