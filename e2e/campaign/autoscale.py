"""The scenario that the autoscaler answers to: what the cluster does meanwhile is recorded."""

from collections.abc import Callable
from pathlib import Path

from e2e.api import Api
from e2e.campaign.parts import COOLDOWNS, ENTRIES, MOST, TIMELINE, Part, ended
from e2e.campaign.service import LABELS, NAME, NAMESPACE
from e2e.load.results import Results, ResultsError, read
from e2e.timeline import scaling
from e2e.timeline.derive import scale_timeline
from e2e.timeline.measurements import wait_for_first_value
from e2e.timeline.recorder import Recorder
from e2e.timeline.sent import sent_by
from e2e.timeline.steps import write
from e2e.waiting import until

_GONE_SECONDS = 90
"""A pod that leaves may finish what it runs for 60 s; the rest is the kubelet's."""


def record(
    api: Api, part: Part, folder: Path, *, profile: str, say: Callable[[str], None], load: Callable[[], int]
) -> list[str]:
    """Run the load, record what the autoscaler does, and write both.

    Args:
        api: the cluster.
        part: the scenario.
        folder: where results are written.
        profile: full or ci.
        say: is told what is waited for.
        load: sends the load and returns the exit status of its program.

    Returns:
        What went wrong, in words.
    """
    say("waiting for the autoscaler's first value")
    wait_for_first_value(api, NAMESPACE, NAME)
    cooldown = COOLDOWNS[profile]
    with Recorder(NAMESPACE, folder / ENTRIES) as recorder:
        until(lambda: recorder.latest("Deployment", NAME), what="the recorder to watch", seconds=20)
        try:
            status = load()
            say("waiting for one replica again")
            back = _comes_back(api, cooldown)
        finally:
            # After Ctrl-C, too: what there is can be looked at.
            results = _results(folder / part.results)
            if results is not None:
                _mark(recorder, results)
            sent = sent_by(results.requests, results.started) if results is not None else []
            write(scale_timeline(recorder.entries, NAME, sent), folder / TIMELINE)
    if results is None:
        return ended(status) or [f"{part.results} was not written"]
    failed = sum(request.failed for request in results.requests)
    return [
        *ended(status),
        *([] if back else ["not back at one replica"]),
        *([f"{failed} requests failed"] if failed else []),
        *scaling.violations(recorder.entries, scaling.Expectation(NAME, cooldown, MOST)),
    ]


def _mark(recorder: Recorder, results: Results) -> None:
    for phase in results.phases:
        if phase.name == "load":
            recorder.mark(scaling.LOAD_BEGINS, results.started + phase.begin)
            recorder.mark(scaling.LOAD_ENDS, results.started + phase.end)


def _results(path: Path) -> Results | None:
    try:
        return read(path)
    except ResultsError:
        return None


def _comes_back(api: Api, cooldown: int) -> bool:
    """Wait until one pod is left, and tell whether that came."""
    try:
        until(
            lambda: api.list("Pod", NAMESPACE, LABELS),
            lambda pods: len(pods) == 1,
            what="one pod to be left",
            seconds=scaling.down_seconds(cooldown) + _GONE_SECONDS,
        )
    except AssertionError:
        return False
    return True
