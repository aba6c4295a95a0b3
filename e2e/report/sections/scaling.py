"""The section of the autoscaler's work."""

from collections.abc import Sequence

from e2e.report.document import Block, Command, Items, Picture, Section, Table, Text
from e2e.report.formats import NOTHING, number
from e2e.report.graphs import autoscaling
from e2e.report.runs import TIMELINE, Folder, Run
from e2e.report.sections.missing import cautions, mark, short
from e2e.report.sections.tables import table
from e2e.timeline.steps import ScaleTimeline, UpSteps

TITLE = "Autoscaling"

_STEPS = {
    "metric_crossed": "metric above target",
    "desired_changed": "more desired",
    "pod_created": "pod created",
    "scheduled": "scheduled",
    "image_ready": "image there",
    "init_started": "init started",
    "model_ready": "model verified",
    "server_started": "server started",
    "ready": "ready",
    "first_token": "first token",
}


def scaling(folder: Folder) -> Section:
    """Return what the autoscaler did, and how long each step took."""
    timeline = folder.timeline
    if timeline is None:
        return Section(
            TITLE,
            [
                Text(
                    f"Scaling was not recorded: the results folder has no {TIMELINE}. To have it in the report:"
                ),
                Command("make report"),
            ],
        )
    runs = meanwhile(folder, timeline)
    return Section(
        TITLE,
        [
            *(block for run in runs for block in cautions(run)),
            Text(story(timeline)),
            *_picture(timeline, runs),
            *_ups(timeline),
            *_downs(timeline),
            *_loads(runs),
        ],
    )


def meanwhile(folder: Folder, timeline: ScaleTimeline) -> list[Run]:
    """Return the runs whose requests were sent while scaling was recorded."""
    if not timeline.series:
        return []
    begin, end = timeline.series[0].at, timeline.series[-1].at
    return [
        run
        for run in folder.runs.values()
        if any(begin <= run.results.started + request.scheduled <= end for request in run.results.requests)
    ]


def story(timeline: ScaleTimeline) -> str:
    """Return the path of the number of replicas, in a sentence."""
    if not timeline.scale_ups and not timeline.scale_downs:
        return f"The autoscaler of {timeline.name} changed nothing while it was recorded."
    path = [str(count) for count in replicas(timeline)]
    ready = [took for up in timeline.scale_ups if (took := total(up.steps)) is not None]
    told = (
        f" From the metric's crossing to the first token of a new replica: {_range(ready)} s."
        if ready
        else ""
    )
    return f"Ready replicas of {timeline.name}: {' → '.join(path)}.{told}"


def replicas(timeline: ScaleTimeline) -> list[int]:
    """Return the numbers of ready replicas, one after another, without repeating one that stays."""
    path: list[int] = []
    for point in timeline.series:
        if point.ready is not None and path[-1:] != [point.ready]:
            path.append(point.ready)
    return path


def total(steps: UpSteps) -> float | None:
    """Return the seconds from the metric's crossing to the replica's first token; None if either was not seen."""
    if steps.metric_crossed is None or steps.first_token is None:
        return None
    return steps.first_token - steps.metric_crossed


def _range(values: Sequence[float]) -> str:
    low, high = number(min(values)), number(max(values))
    return low if low == high else f"{low} to {high}"


def _picture(timeline: ScaleTimeline, runs: list[Run]) -> list[Block]:
    if not timeline.series:
        return [Text("The recording has no series, so there is no graph.")]
    doubts = short([doubt for run in runs for doubt in run.doubts])
    return [
        Picture(
            "autoscaling_timeline.png",
            f"Load, metric, replicas and latency over one axis of time{mark(*runs)}. {story(timeline)}",
            "Each point of latency is a request. The metric is what the autoscaler had last seen.",
            ["make report", *(run.command for run in runs)],
            lambda: autoscaling.draw(timeline, runs, doubts),
        )
    ]


def _ups(timeline: ScaleTimeline) -> list[Block]:
    if not timeline.scale_ups:
        return [Text("No replica was added.")]
    header = ("replicas", "new replica", *(_STEPS.values()))
    rows = [
        [f"{up.before} → {up.after}", up.replica or NOTHING, *_since_first(up.steps)]
        for up in timeline.scale_ups
    ]
    return [
        Text("Replicas that were added: seconds after the first step that was seen."),
        Table(header, rows),
    ]


def _since_first(steps: UpSteps) -> list[str]:
    times = [getattr(steps, name) for name in _STEPS]
    first = min((at for at in times if at is not None), default=0.0)
    return [NOTHING if at is None else f"{at - first:.1f}" for at in times]


def _downs(timeline: ScaleTimeline) -> list[Block]:
    if not timeline.scale_downs:
        return [Text("No replica was removed while it was recorded.")]
    told = []
    for down in timeline.scale_downs:
        below = down.steps.metric_below
        after = (
            f", {number(down.at - below)} s after the metric first needed fewer" if below is not None else ""
        )
        told.append(f"{down.before} → {down.after}{after}")
    return [Text("Replicas that were removed:"), Items(told)]


def _loads(runs: Sequence[Run]) -> list[Block]:
    blocks: list[Block] = []
    for run in runs:
        failed = sum(request.failed for request in run.results.requests)
        blocks += [
            Text(
                f"The load meanwhile, {run.scenario}: {failed} of {len(run.results.requests)} requests failed."
            ),
            table(run.parts),
        ]
    return blocks
