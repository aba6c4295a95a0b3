"""How often the operator looks at a CodeModel, and in which order it works: by the API server's audit log."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor

from codemodel_operator.settings import Settings
from e2e.waiting import until

from .audit import WRITES, Entry
from .bench import USER, Bench
from .test_rights import running

_SECONDS = 60
_BURST = 24
"""CodeModels; several times the workers."""

_LABEL = "app.kubernetes.io/name"
_REPAIRS = 4
"""A needless look may by chance be one with the next that is needed; not each of so many."""


def suspended(namespace: str, name: str) -> dict[str, object]:
    """A CodeModel that has all its children at once, and whose children nobody changes."""
    return {
        "apiVersion": "codemodel.dev/v1alpha1",
        "kind": "CodeModel",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"engine": {"name": "mock"}, "suspend": True},
    }


def asked(bench: Bench, namespace: str) -> list[Entry]:
    """What the operator has asked for in a namespace, in this order."""
    return bench.audit.entries(lambda entry: (entry.user, entry.namespace) == (USER, namespace))


def reported(bench: Bench, namespace: str) -> int:
    """How many CodeModels have a status."""
    found = bench.api.list("CodeModel", namespace)
    return sum(codemodel["status"].get("observedGeneration") == 1 for codemodel in found)


def wait_until_reported(bench: Bench, namespace: str, number: int) -> None:
    """Wait until so many CodeModels have a status."""
    until(
        lambda: reported(bench, namespace),
        lambda found: found == number,
        what=f"{number} statuses",
        seconds=_SECONDS,
    )


def labels(bench: Bench, namespace: str) -> dict[str, str]:
    """Those of the Service."""
    service = bench.api.get("Service", "coder", namespace)
    assert service
    found: dict[str, str] = service["metadata"]["labels"]
    return found


def looks(bench: Bench, namespace: str, name: str) -> int:
    """How often the operator has read this CodeModel."""
    return sum((e.verb, e.resource, e.name) == ("get", "codemodels", name) for e in asked(bench, namespace))


def test_what_it_writes_itself_causes_no_look(control_plane: Bench) -> None:
    api = control_plane.api
    with (
        control_plane.namespace() as namespace,
        running(control_plane, "echoes", f"--namespace={namespace}"),
    ):
        # When the first one has its status, the operator watches, and has nothing else to do.
        for number, name in enumerate(("before", "coder"), 1):
            api.create(suspended(namespace, name))
            wait_until_reported(control_plane, namespace, number)
        for _ in range(_REPAIRS):
            api.merge("Service", namespace, "coder", {"metadata": {"labels": {_LABEL: None}}})
            until(
                lambda: labels(control_plane, namespace),
                lambda found: _LABEL in found,
                what="the label to be put back",
                seconds=_SECONDS,
            )
        # One for the rest of what was new, for a watch has brought it when it came, and one because of each label.
        assert looks(control_plane, namespace, "coder") == 1 + _REPAIRS


def test_in_a_burst_all_get_their_children_before_they_get_a_status(control_plane: Bench) -> None:
    with control_plane.namespace() as namespace:
        names = [f"coder-{number}" for number in range(_BURST)]
        with ThreadPoolExecutor() as executor:
            list(executor.map(lambda name: control_plane.api.create(suspended(namespace, name)), names))
        with running(control_plane, "burst", f"--namespace={namespace}"):
            wait_until_reported(control_plane, namespace, _BURST)
        writes = [entry for entry in asked(control_plane, namespace) if entry.verb in WRITES]
        assert all(entry.status < 300 for entry in writes)
        assert Counter((entry.verb, entry.resource) for entry in writes) == {
            ("create", "deployments"): _BURST,
            ("create", "services"): 2 * _BURST,
            ("create", "horizontalpodautoscalers"): _BURST,
            ("create", "networkpolicies"): _BURST,
            ("create", "poddisruptionbudgets"): _BURST,
            ("create", "events"): _BURST,
            ("patch", "codemodels/status"): _BURST,
        }
        order = [entry.resource for entry in writes if entry.resource in ("deployments", "codemodels/status")]
        last = max(index for index, resource in enumerate(order) if resource == "deployments")
        # When nobody waits any more, each worker still has one that is new.
        assert order[:last].count("codemodels/status") < Settings().workers
