"""Loads side by side: latency, throughput, success, and how first tokens are spread."""

from collections.abc import Callable, Sequence

from matplotlib.axes import Axes
from matplotlib.container import BarContainer
from matplotlib.figure import Figure

from e2e.load.results import Distribution, Summary
from e2e.report.formats import number, percent
from e2e.report.runs import Part
from e2e.report.series import steps_of
from e2e.report.style import (
    BLUE,
    COLOURS,
    DASHES,
    GREEN,
    GREY,
    HATCH,
    ORANGE,
    PURPLE,
    canvas,
    from_zero,
    warn,
)

_PERCENTILES = (("p50", BLUE), ("p90", ORANGE), ("p99", PURPLE))


def latency(parts: Sequence[Part], warnings: Sequence[str]) -> Figure:
    """Draw percentiles of latency and of the time to the first token, a group of bars for each load."""
    figure, (whole, first) = canvas(2, height=7.0)
    whole.set_title("Latency: scheduled to last token")
    warn(figure, warnings)
    _percentiles(whole, parts, lambda summary: summary.latency)
    first.set_title("Time to first token")
    _percentiles(first, parts, lambda summary: summary.ttft)
    whole.legend(loc="upper left", ncols=3)
    figure.align_ylabels()
    return figure


def throughput(parts: Sequence[Part], warnings: Sequence[str]) -> Figure:
    """Draw answers and tokens a second, a bar for each load."""
    figure, (requests, tokens) = canvas(2, height=7.0)
    requests.set_title("Answered requests")
    warn(figure, warnings)
    _bars(requests, parts, [part.summary.achieved_rate for part in parts], BLUE, "throughput (answers/s)")
    tokens.set_title("Tokens of these answers")
    _bars(tokens, parts, [part.summary.tokens_per_second for part in parts], GREEN, "throughput (tokens/s)")
    figure.align_ylabels()
    return figure


def success(parts: Sequence[tuple[str, Part]], warnings: Sequence[str]) -> Figure:
    """Draw the share of requests that were answered.

    Args:
        parts: each with the name of its scenario; phases without requests are left out.
        warnings: what is wrong with the runs.
    """
    shown = [(scenario, part) for scenario, part in parts if part.summary.success_rate is not None]
    figure, (axes,) = canvas(height=1.6 + 0.42 * len(shown) + 0.3 * len(warnings))
    axes.set_title("Requests answered completely")
    warn(figure, warnings)
    drawn = axes.barh(
        [f"{scenario}: {part.label}" for scenario, part in shown],
        [100 * (part.summary.success_rate or 0) for _, part in shown],
        color=BLUE,
        height=0.66,
    )
    _hatch(drawn, [part for _, part in shown])
    texts = [f"{percent(part.summary.success_rate)} of {part.summary.requests}" for _, part in shown]
    axes.bar_label(drawn, texts, padding=4)
    axes.invert_yaxis()
    axes.grid(visible=False, axis="y")
    axes.set_xlim(0, 125)  # room for the labels
    axes.set_xticks(range(0, 101, 20))
    axes.set_xlabel("share of all requests (%)")
    figure.align_ylabels()
    return figure


def first_tokens(parts: Sequence[Part], bound: float, warnings: Sequence[str]) -> Figure:
    """Draw the empirical distribution functions of the time to the first token.

    Args:
        parts: those without any first token are left out.
        bound: what the first token's time is asked to keep, in seconds.
        warnings: what is wrong with the runs.
    """
    figure, (axes,) = canvas(height=4.8)
    axes.set_title("Time to first token: share of answers that had it by then")
    warn(figure, warnings)
    for order, part in enumerate(parts):
        times = [request.ttft for request in part.requests if request.succeeded and request.ttft is not None]
        if times:
            values, shares = steps_of(times)
            axes.step(
                [values[0], *values], [0, *(100 * share for share in shares)], where="post",
                label=f"{part.label}, {part.load} ({len(times)} answers)",
                color=COLOURS[order % len(COLOURS)], linestyle=DASHES[order % len(DASHES)],
            )  # fmt: skip
    axes.axvline(bound, color=GREY, linewidth=1.2, linestyle=(0, (1, 2)), label=f"goodput bound, {bound:g} s")
    axes.set(
        xscale="log",
        ylim=(0, 102),
        xlabel="time to first token (s, log scale)",
        ylabel="share of answers (%)",
    )
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
    figure.legend(loc="outside lower center", ncols=2)
    figure.align_ylabels()
    return figure


def _percentiles(axes: Axes, parts: Sequence[Part], of: Callable[[Summary], Distribution | None]) -> None:
    breadth = 0.26
    for order, (name, colour) in enumerate(_PERCENTILES):
        found = [of(part.summary) for part in parts]
        drawn = axes.bar(
            [place + (order - 1) * breadth for place in range(len(parts))],
            [getattr(one, name) if one else 0 for one in found],
            breadth * 0.92,
            color=colour,
            label=name,
        )
        _hatch(drawn, parts)
        axes.bar_label(
            drawn, [number(getattr(one, name)) if one else "none" for one in found], padding=2, fontsize=9
        )
    _loads(axes, parts)
    from_zero(axes, room=0.22)
    axes.set_ylabel("time (s)")


def _bars(axes: Axes, parts: Sequence[Part], values: Sequence[float], colour: str, unit: str) -> None:
    drawn = axes.bar(range(len(parts)), values, 0.5, color=colour)
    _hatch(drawn, parts)
    axes.bar_label(drawn, [number(value) for value in values], padding=2)
    _loads(axes, parts)
    from_zero(axes)
    axes.set_ylabel(unit)


def _loads(axes: Axes, parts: Sequence[Part]) -> None:
    labels = [f"{part.label}\n{part.load}, {part.summary.requests} requests" for part in parts]
    axes.set_xticks(range(len(parts)), labels)
    axes.grid(visible=False, axis="x")


def _hatch(bars: BarContainer, parts: Sequence[Part]) -> None:
    """Mark the bars of what is not to be relied on."""
    for bar, part in zip(bars.patches, parts, strict=True):
        if part.doubtful:
            bar.set(hatch=HATCH, edgecolor="white")
