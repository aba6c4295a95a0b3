"""The steps on the way to fewer replicas. Pure."""

from collections.abc import Iterable, Sequence

from e2e.timeline.autoscaler import KIND, recommendation
from e2e.timeline.entries import MARK, Change, Entry, changes, with_neighbours
from e2e.timeline.scaling import DELIVERY_SECONDS, LOAD_ENDS
from e2e.timeline.steps import DownSteps, ScaleDown


def scale_downs(entries: Sequence[Entry], name: str) -> list[ScaleDown]:
    """Return one for each change of a CodeModel to fewer replicas; the entries are a recording, oldest first."""
    found: list[ScaleDown] = []
    replicas = changes(entries, "Deployment", name, "replicas")
    ends = [entry.at for entry in entries if entry.kind == MARK and entry.name == LOAD_ENDS]
    for _, change, after in with_neighbours(replicas):
        if change.after > change.before:
            continue
        until = after.at if after else float("inf")
        told = _leaving(entries, name, change.at - DELIVERY_SECONDS, until)
        leaving = dict(list(told.items())[: change.before - change.after])
        gone = {
            entry.name: entry.at
            for entry in entries
            if entry.kind == "Pod" and entry.change == "DELETED" and entry.name in leaving
        }
        steps = DownSteps(
            load_ended=max((at for at in ends if at <= change.at), default=None),
            metric_below=_below(entries, name, change),
            desired_changed=change.at,
            pod_deleted=min(leaving.values(), default=None),
            pod_gone=max(gone.values()) if gone and gone.keys() == leaving.keys() else None,
        )
        found.append(
            ScaleDown(
                before=change.before, after=change.after, at=change.at, removed=tuple(leaving), steps=steps
            )
        )
    return found


def _leaving(entries: Iterable[Entry], name: str, since: float, until: float) -> dict[str, float]:
    """The pods that were told to leave in a span of time, and when."""
    first: dict[str, float] = {}
    for entry in entries:
        if entry.kind == "Pod" and entry.facts["codemodel"] == name and entry.facts["deleting"]:
            first.setdefault(entry.name, entry.at)
    return {pod: at for pod, at in first.items() if since <= at < until}


def _below(entries: Iterable[Entry], name: str, change: Change) -> float | None:
    """When the autoscaler first saw a value that needs fewer replicas, of the looks that led to a change."""
    began = None
    for entry in entries:
        if (entry.kind, entry.name) != (KIND, name) or entry.at > change.at + DELIVERY_SECONDS:
            continue
        needed = recommendation(entry.facts)
        if entry.facts["current"] == change.before and needed is not None:
            began = (began or entry.at) if needed < change.before else None
    return None if began is None else min(began, change.at)
