"""From what was recorded to the steps of an autoscaler's work. Pure."""

from collections.abc import Iterable, Sequence

from e2e.timeline.autoscaler import KIND, values
from e2e.timeline.downs import scale_downs
from e2e.timeline.entries import MARK, Entry
from e2e.timeline.sent import Sent
from e2e.timeline.series import series
from e2e.timeline.steps import DownSteps, Duration, Metric, ScaleTimeline, UpSteps
from e2e.timeline.ups import scale_ups


def scale_timeline(entries: Iterable[Entry], name: str, load: Sequence[Sent]) -> ScaleTimeline:
    """Return the steps of all changes of a CodeModel's replicas, and how things stood in between.

    Args:
        entries: a recording of the CodeModel's namespace.
        name: the CodeModel.
        load: the requests that were sent meanwhile; may be empty.
    """
    entries = sorted(entries, key=lambda entry: entry.at)
    seen = values(entries, name)
    ups, downs = scale_ups(entries, name, seen, load), scale_downs(entries, name)
    return ScaleTimeline(
        name=name,
        metric=_metric(entries, name),
        marks={entry.name: entry.at for entry in entries if entry.kind == MARK},
        series=series(entries, name, seen, [sent.at for sent in load]),
        scale_ups=tuple(ups),
        scale_downs=tuple(downs),
        durations=(
            *(duration for up in ups for duration in _durations(up.steps, up.replica)),
            *(duration for down in downs for duration in _durations(down.steps, None)),
        ),
    )


def _metric(entries: Sequence[Entry], name: str) -> Metric | None:
    for entry in entries:
        if (entry.kind, entry.name) == (KIND, name):
            return Metric(
                **{key: entry.facts["metrics"][0][key] for key in ("type", "name", "target", "unit")}
            )
    return None


def _durations(steps: UpSteps | DownSteps, replica: str | None) -> list[Duration]:
    """How long each step took. Watches deliver independently: what seems to come before its cause took no time."""
    times: dict[str, float] = {step: at for step, at in steps.model_dump().items() if at is not None}
    return [
        Duration(step=step, since=since, seconds=max(0.0, times[step] - times[since]), replica=replica)
        for since, step in zip(list(times)[:-1], list(times)[1:], strict=True)
    ]
