"""CodeModels that cannot serve, and what their users are told."""

from dataclasses import dataclass, field
from itertools import pairwise

from e2e.api import Api, Manifest
from e2e.applying import apply
from e2e.codemodels import READY_SECONDS, condition, merged
from e2e.waiting import until

CHEAP: Manifest = {"resources": {"requests": {"cpu": "10m", "memory": "16Mi"}}}
"""Many of them wait side by side."""

MOCK: Manifest = {"model": None, "engine": {"name": "mock"}, **CHEAP}
"""Fails, if at all, for another reason than its model."""


@dataclass(frozen=True)
class Failure:
    """A way to fail."""

    reason: str
    """Of the condition Ready."""

    says: tuple[str, ...]
    """Parts of the message: what is wrong, and what to do."""

    stalled: bool
    """Whether only a change helps; else it may pass by itself."""

    change: Manifest = field(default_factory=dict)
    """What makes it fail, merged into the spec of the suite's CodeModels."""


def apply_all(namespace: str, failures: dict[str, Failure]) -> None:
    """Create a CodeModel for each, named by its key."""
    for name, failure in failures.items():
        apply(namespace, name, merged(CHEAP, failure.change))


def wait_until_told(api: Api, namespace: str, name: str, failure: Failure, *, ready: str = "False") -> None:
    """Wait until a CodeModel's conditions and an Event tell of this failure.

    Args:
        api: of the cluster.
        namespace: where the CodeModel is.
        name: of the CodeModel.
        failure: what is to be told.
        ready: status of Ready meanwhile; with True, older replicas serve, and the failure is under the others.

    Raises:
        AssertionError: something of it is not told; the message has it.
    """
    until(
        lambda: _untold(api, namespace, name, failure, ready),
        lambda untold: not untold,
        what=f"{name} to tell of {failure.reason}",
        seconds=READY_SECONDS,
    )


def _untold(api: Api, namespace: str, name: str, failure: Failure, ready: str) -> list[str]:
    """What is not told yet, or otherwise."""
    found = api.read("CodeModel", name, namespace)
    worse, better = ("Stalled", "Reconciling") if failure.stalled else ("Reconciling", "Stalled")
    wanted = {"Ready": ready, worse: "True", better: "False"}
    verdicts = {type_: condition(found, type_).get("status") for type_ in wanted}
    told_by = worse if ready == "True" else "Ready"
    reason, message = (condition(found, told_by).get(key, "") for key in ("reason", "message"))
    event = _event(failure)
    return [
        *(f"{type_} is {status}" for type_, status in verdicts.items() if status != wanted[type_]),
        *([f"{told_by} has the reason {reason}: {message}"] if reason != failure.reason else []),
        *(f"{part!r} is not in {message!r}" for part in failure.says if part not in message),
        *([f"no Event is {event}"] if event not in _events(api, namespace, name) else []),
    ]


def flooded(api: Api, namespace: str, failures: dict[str, Failure]) -> dict[str, list[tuple[str, str]]]:
    """Return the Events, by type and reason in their order, of the CodeModels that have too many.

    Only a transition is told of, so none follows one like it; and the reason itself may come back once, for a busy node
    fails in other ways in between.
    """
    told = {name: _events(api, namespace, name) for name in failures}
    again = {name for name, failure in failures.items() if told[name].count(_event(failure)) > 2}
    return {name: events for name, events in told.items() if name in again or _repeats(events)}


def _repeats(events: list[tuple[str, str]]) -> bool:
    return any(event == following for event, following in pairwise(events))


def _event(failure: Failure) -> tuple[str, str]:
    return ("Warning" if failure.stalled else "Normal", failure.reason)


def _events(api: Api, namespace: str, name: str) -> list[tuple[str, str]]:
    """Types and reasons of the Events about a CodeModel, in their order."""
    found = [event for event in api.list("Event", namespace) if _is_about(event["involvedObject"], name)]
    # Their times are whole seconds.
    found.sort(key=lambda event: int(event["metadata"]["resourceVersion"]))
    return [(event["type"], event["reason"]) for event in found]


def _is_about(thing: Manifest, name: str) -> bool:
    return (thing.get("kind"), thing.get("name")) == ("CodeModel", name)
