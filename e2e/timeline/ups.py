"""The steps on the way to more replicas. Pure."""

from collections.abc import Iterable, Sequence

from e2e.timeline.autoscaler import Value, crossing
from e2e.timeline.entries import Entry, changes, with_neighbours
from e2e.timeline.scaling import DELIVERY_SECONDS
from e2e.timeline.sent import Sent
from e2e.timeline.steps import ScaleUp, UpSteps


def scale_ups(
    entries: Sequence[Entry], name: str, seen: Sequence[Value], load: Sequence[Sent]
) -> list[ScaleUp]:
    """Return one for each replica that was added to a CodeModel.

    Args:
        entries: a recording, oldest first.
        name: the CodeModel.
        seen: the values of its metric, oldest first.
        load: the requests that were sent meanwhile.
    """
    found: list[ScaleUp] = []
    replicas = changes(entries, "Deployment", name, "replicas")
    for before, change, after in with_neighbours(replicas):
        if change.after < change.before:
            continue
        until = after.at if after else float("inf")
        created = _created(entries, name, change.at - DELIVERY_SECONDS, until)[: change.after - change.before]
        crossed = crossing(seen, before.at if before else 0, change.at + DELIVERY_SECONDS)
        cause = UpSteps(
            metric_crossed=None if crossed is None else min(crossed, change.at), desired_changed=change.at
        )
        found += (
            ScaleUp(
                before=change.before,
                after=change.after,
                replica=pod,
                steps=cause.model_copy(update=_life(entries, pod, load)),
            )
            for pod in created
        )
        missing = change.after - change.before - len(created)
        found += [ScaleUp(before=change.before, after=change.after, replica=None, steps=cause)] * missing
    return found


def _created(entries: Iterable[Entry], name: str, since: float, until: float) -> list[str]:
    """Names of a CodeModel's pods that were first seen in a span of time, oldest first."""
    first: dict[str, float] = {}
    for entry in entries:
        if entry.kind == "Pod" and entry.facts["codemodel"] == name:
            first.setdefault(entry.name, entry.at)
    return [pod for pod, at in first.items() if since <= at < until]


def _life(entries: Iterable[Entry], pod: str, load: Iterable[Sent]) -> dict[str, float]:
    """The steps of one pod, each at the time when it was first seen."""
    times: dict[str, float] = {}
    for entry in entries:
        for step in _shown(entry, pod):
            times.setdefault(step, entry.at)
    tokens = [sent.first_token for sent in load if sent.replica == pod and sent.first_token is not None]
    return {**times, **({"first_token": min(tokens)} if tokens else {})}


def _shown(entry: Entry, pod: str) -> list[str]:
    """The steps that an entry shows to be done."""
    if (entry.kind, entry.name) == ("Pod", pod):
        facts = {"scheduled": "scheduled", "model_ready": "initialized", "ready": "ready"}
        return ["pod_created", *(step for step, fact in facts.items() if entry.facts[fact])]
    if entry.kind == "Event" and entry.facts["about"] == f"Pod/{pod}":
        part = entry.facts["part"] or ""
        match entry.facts["reason"]:
            case "Pulled":
                return ["image_ready"]
            case "Started" if part.startswith("spec.initContainers"):
                return ["init_started"]
            case "Started":
                return ["server_started"]
    return []
