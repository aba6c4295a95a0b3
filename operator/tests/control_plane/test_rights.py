"""The operator uses all the rights that deploy/base gives it, and needs no others."""

from collections.abc import Iterator
from contextlib import contextmanager

import yaml

from delivery.tests.fetch import hub
from delivery.tests.gguf.models import model
from e2e.waiting import until

from .audit import WRITES, AuditLog, Entry
from .bench import ROLE, USER, Bench
from .operators import Operator
from .snapshot import snapshot

_SECONDS = 30

_KEPT = {"PodDisruptionBudget": "coder", "NetworkPolicy": "coder", "PersistentVolumeClaim": "coder-models"}
"""Children that are seldom changed, by their kind."""

Right = tuple[str, str, str]
"""Group, resource and verb."""


@contextmanager
def running(bench: Bench, name: str, *arguments: str) -> Iterator[Operator]:
    """Run an operator right at the API server."""
    kubeconfig = bench.plane.kubeconfig(name, bench.plane.url, bench.token)
    operator = bench.operators.start(name, kubeconfig, *arguments)
    try:
        yield operator
    finally:
        operator.stop()


def codemodel(
    namespace: str, name: str = "coder", source: str = "http://127.0.0.1:9/model.gguf"
) -> dict[str, object]:
    return {
        "apiVersion": "codemodel.dev/v1alpha1",
        "kind": "CodeModel",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"model": {"source": source}},
    }


def test_the_rights_are_those_that_are_used(control_plane: Bench) -> None:
    api, granted = control_plane.api, _granted()
    with (
        control_plane.plane.controllers("deployment-controller", "replicaset-controller"),
        control_plane.namespace() as namespace,
        hub.running(hub.Hub(hub.parts)) as models,
        running(control_plane, "whole-cluster", "--allow-private-sources=yes"),
    ):
        models.content = model()
        api.create(codemodel(namespace, source=models.url))
        pod = until(lambda: api.list("Pod", namespace), what="a pod", seconds=_SECONDS)[0]
        # As of a scheduler that finds no node for it.
        words = {"status": "False", "reason": "Unschedulable", "message": "0/1 nodes: 1 Insufficient memory."}
        unplaced = {"status": {"conditions": [{"type": "PodScheduled", **words}]}}
        api.merge("Pod", namespace, pod["metadata"]["name"], unplaced, "/status")
        until(
            lambda: ("", "nodes", "list") in _used(control_plane.audit),
            what="a look at the nodes",
            seconds=_SECONDS,
        )
        # As of a node that has begun with it, for the Events and the log that are read then.
        init = {"name": "download-model", "image": "i", "imageID": "", "ready": False, "restartCount": 0}
        waits = {**init, "state": {"waiting": {"reason": "PodInitializing"}}}
        runs = {**init, "state": {"running": {"startedAt": "2026-01-01T00:00:00Z"}}}
        for state in (waits, runs):
            status = {"status": {"conditions": [], "initContainerStatuses": [state]}}
            api.merge("Pod", namespace, pod["metadata"]["name"], status, "/status")
        # All are put right, and then some are not needed any more.
        until(
            lambda: all(api.get(kind, name, namespace) for kind, name in _KEPT.items()),
            what="all children",
            seconds=_SECONDS,
        )
        for kind, name in _KEPT.items():
            api.merge(kind, namespace, name, {"metadata": {"labels": None}})
        until(
            lambda: {kind for kind, name in _KEPT.items() if _labelled(control_plane, kind, namespace, name)},
            lambda labelled: labelled == set(_KEPT),
            what="labels to be put right",
            seconds=_SECONDS,
        )
        change = {"scaling": {"maxReplicas": 1}, "service": {"port": 8000}, "image": "another"}
        api.merge("CodeModel", namespace, "coder", {"spec": {**change, "cache": {"mode": "Ephemeral"}}})
        until(
            lambda: granted - _used(control_plane.audit),
            lambda unused: not unused,
            what="every right to be used",
            seconds=_SECONDS,
        )
    assert _used(control_plane.audit) <= granted
    # In a namespace that ends, every creation is forbidden, whoever asks.
    refused = control_plane.audit.entries(
        lambda e: (e.user, e.status) == (USER, 403) and e.namespace in (namespace, "")
    )
    assert refused == []


def test_an_unchanged_world_causes_no_writes(control_plane: Bench) -> None:
    audit = control_plane.audit
    with control_plane.namespace() as namespace:
        names = [f"coder-{number}" for number in range(3)]
        for name in names:
            control_plane.api.create(codemodel(namespace, name))
        # One worker takes one CodeModel after the other.
        arguments = (f"--namespace={namespace}", "--workers=1")
        with running(control_plane, "first", *arguments):
            for name in names:
                _wait_for_status(control_plane, namespace, name)
        # Its end leaves nothing half done, so all that is written from now on is without need.
        before, start = snapshot(control_plane.api, namespace), audit.length()
        with running(control_plane, "second", *arguments):
            until(
                lambda: {name for name in names if _looks(audit, namespace, name, start) >= 1},
                lambda looked: len(looked) == len(names),
                what="a look at each CodeModel",
                seconds=_SECONDS,
            )
            for name in names:
                # Somebody's label is an event, and none of the operator's business.
                control_plane.api.merge("Service", namespace, name, {"metadata": {"labels": {"mine": "yes"}}})
            until(
                lambda: {name for name in names if _looks(audit, namespace, name, start) >= 2},
                lambda looked: len(looked) == len(names),
                what="another look at each CodeModel",
                seconds=_SECONDS,
            )
        written = audit.entries(lambda entry: entry.user == USER and entry.verb in WRITES, start)
        assert written == []
        for name in names:
            control_plane.api.merge("Service", namespace, name, {"metadata": {"labels": {"mine": None}}})
        assert snapshot(control_plane.api, namespace) == before


def _labelled(bench: Bench, kind: str, namespace: str, name: str) -> bool:
    return bool((bench.api.get(kind, name, namespace) or {"metadata": {}})["metadata"].get("labels"))


def _wait_for_status(bench: Bench, namespace: str, name: str) -> None:
    def conditions() -> object:
        return (bench.api.get("CodeModel", name, namespace) or {}).get("status", {}).get("conditions")

    until(conditions, what=f"the status of {name}", seconds=_SECONDS)


def _looks(audit: AuditLog, namespace: str, name: str, since: int) -> int:
    """Return how often the operator has read this CodeModel by its name: that is how each reconcile begins."""

    def read(entry: Entry) -> bool:
        looked = (entry.verb, entry.resource, entry.namespace, entry.name)
        return entry.user == USER and looked == ("get", "codemodels", namespace, name)

    return len(audit.entries(read, since))


def _granted() -> set[Right]:
    rules = yaml.safe_load(ROLE.read_text())["rules"]
    return {
        (group, resource, verb)
        for rule in rules
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    }


def _used(audit: AuditLog) -> set[Right]:
    """What was asked for; discovery is everybody's right."""
    return {
        (entry.group, entry.resource, entry.verb)
        for entry in audit.entries(lambda entry: entry.user == USER)
        if entry.resource
    }
