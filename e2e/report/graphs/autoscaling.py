"""The autoscaling timeline: load, metric, replicas and latency over one axis of time."""

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from e2e.report.graphs.courses import name_moment, scatter
from e2e.report.runs import Run
from e2e.report.style import BLACK, BLUE, GREEN, GREY, ORANGE, PURPLE, VERMILION, canvas, from_zero, warn
from e2e.timeline.steps import ScaleTimeline


def draw(timeline: ScaleTimeline, runs: Sequence[Run], warnings: Sequence[str]) -> Figure:
    """Draw load, the autoscaler's metric, replicas and the latency of the runs that took place meanwhile.

    Args:
        timeline: what was recorded; its series has at least one point.
        runs: those whose requests belong to it.
        warnings: what is wrong with them.
    """
    series = timeline.series
    zero = min([series[0].at, *timeline.marks.values()])
    figure, (load, metric, replicas, latency) = canvas(4, height=10.4, shared=True)
    warn(figure, warnings)
    load.set_title(f"Autoscaling of {timeline.name}")
    _plot(load, [(point.at - zero, point.load_rps) for point in series], BLUE)
    load.set_ylabel("load\n(requests/s)")
    _metric(metric, timeline, zero)
    _plot(replicas, [(point.at - zero, point.desired) for point in series], PURPLE, "--", "desired")
    _plot(replicas, [(point.at - zero, point.replicas) for point in series], BLACK, ":", "existing")
    _plot(replicas, [(point.at - zero, point.ready) for point in series], GREEN, "-", "ready")
    replicas.set_ylabel("replicas\n(count)")
    replicas.yaxis.set_major_locator(MaxNLocator(integer=True))
    for run in runs:
        scatter(latency, run.results.requests, run.results.started - zero)
    latency.set_ylabel("latency\n(s)")
    if not runs:
        text = "no requests were recorded"
        latency.annotate(text, (0.5, 0.5), xycoords="axes fraction", ha="center", color=GREY)
    for axes in (metric, replicas):
        axes.legend(loc="upper right", ncols=3, fontsize=9)
    for axes in (load, metric, replicas, latency):
        from_zero(axes, room=0.5 if axes is load else 0.3)  # for the names of the marks
        for at in timeline.marks.values():
            axes.axvline(at - zero, color=GREY, linewidth=0.9, linestyle="-.")
    for row, (name, at) in enumerate(timeline.marks.items()):
        name_moment(load, name.replace("-", " "), at - zero, row)
    latency.set(xlabel="time since the recording began (s)", xlim=(0, series[-1].at - zero))
    figure.align_ylabels()
    return figure


def _metric(axes: Axes, timeline: ScaleTimeline, zero: float) -> None:
    values = [(point.at - zero, point.metric) for point in timeline.series]
    _plot(axes, values, ORANGE, "-", "as the autoscaler saw it")
    if (metric := timeline.metric) is None:
        axes.set_ylabel("metric\n(unknown unit)")
        return
    axes.axhline(
        metric.target, color=VERMILION, linewidth=1.2, linestyle=":", label=f"target, {metric.target:g}"
    )
    axes.set_ylabel(f"{'CPU' if metric.name == 'cpu' else metric.name}\n({metric.unit})")


def _plot(
    axes: Axes,
    points: Sequence[tuple[float, float | None]],
    colour: str,
    dashes: str = "-",
    label: str | None = None,
) -> None:
    """A value holds until the next one is seen: so steps, and no lines between."""
    known = [(at, value) for at, value in points if value is not None]
    times, values = [at for at, _ in known], [value for _, value in known]
    axes.step(times, values, where="post", color=colour, linestyle=dashes, label=label)
