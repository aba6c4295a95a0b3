"""The stress curve: what becomes of latency, success and throughput as the rate rises."""

from collections.abc import Callable, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from e2e.load.scenario import Ramp
from e2e.report.breaking import Curve, rate_of
from e2e.report.runs import Part
from e2e.report.style import BLACK, BLUE, GREEN, GREY, ORANGE, PURPLE, VERMILION, canvas, from_zero, warn


def draw(found: Curve, broken: float | None, ramp: Ramp | None, warnings: Sequence[str]) -> Figure:
    """Draw latency, success and throughput over the rate that was asked for, the breaking point marked.

    Args:
        found: what to draw; tries to confirm a rate are hollow.
        broken: the breaking point in requests/s; None if nothing broke.
        ramp: has the limits; None if they are not known.
        warnings: what is wrong with the run.
    """
    figure, (latency, success, throughput) = canvas(3, height=8.6, shared=True)
    warn(figure, warnings)
    latency.set_title("Stress: one load after another, each higher")
    _points(latency, found, _p50, BLUE, label="latency, p50")
    _points(latency, found, _p90, PURPLE, label="latency, p90", dashes="--")
    latency.set(yscale="log", ylabel="latency (s, log scale)")
    latency.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
    _points(success, found, _answered, GREEN, label="answered")
    success.set(ylim=(-4, 108), ylabel="answered (%)")
    _points(throughput, found, lambda part: part.summary.achieved_rate, ORANGE, label="answered")
    rates = [0, *map(rate_of, found.search)]
    throughput.plot(rates, rates, color=GREY, linewidth=1.2, linestyle="--", label="as many as asked for")
    throughput.set(ylabel="throughput (answers/s)", xlabel="rate asked for (requests/s)")
    from_zero(throughput)
    throughput.set_xlim(left=0)
    if ramp:
        _limit(latency, ramp.latency_above_seconds, f"limit of p90, {ramp.latency_above_seconds:g} s")
        _limit(success, 100 * ramp.success_below, f"limit, {100 * ramp.success_below:g} %")
    for axes in (latency, success, throughput):
        if broken is not None:
            label = f"breaking point,\n{broken:g} requests/s"
            axes.axvline(broken, color=BLACK, linewidth=1.4, linestyle="-.", label=label)
        axes.legend(loc="center left", bbox_to_anchor=(1.0, 0.5))
    figure.align_ylabels()
    return figure


def _p50(part: Part) -> float | None:
    return part.summary.latency.p50 if part.summary.latency else None


def _p90(part: Part) -> float | None:
    return part.summary.latency.p90 if part.summary.latency else None


def _answered(part: Part) -> float:
    return 100 * (part.summary.success_rate or 0.0)


def _points(
    axes: Axes,
    found: Curve,
    of: Callable[[Part], float | None],
    colour: str,
    *,
    label: str,
    dashes: str = "-",
) -> None:
    doubtful = [part for part in (*found.search, *found.again) if part.doubtful]
    axes.plot(*_line(found.search, of), color=colour, marker="o", linestyle=dashes, label=label)
    hollow: dict[str, Any] = {
        "color": colour,
        "marker": "o",
        "markersize": 10,
        "markerfacecolor": "none",
        "linestyle": "none",
    }
    cross: dict[str, Any] = {"color": VERMILION, "marker": "x", "markersize": 11, "linestyle": "none"}
    if found.again:
        axes.plot(*_line(found.again, of), label="tried again", **hollow)
    if doubtful:
        axes.plot(*_line(doubtful, of), label="not to be relied on", **cross)


def _line(parts: Sequence[Part], of: Callable[[Part], float | None]) -> tuple[list[float], list[float]]:
    """Rates, and the figure of each that has one."""
    points = [(rate_of(part), value) for part in parts if (value := of(part)) is not None]
    return [rate for rate, _ in points], [value for _, value in points]


def _limit(axes: Axes, value: float, label: str) -> None:
    axes.axhline(value, color=VERMILION, linewidth=1.2, linestyle=":", label=label)
