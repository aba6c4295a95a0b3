"""The number of replicas is the autoscaler's, whatever the operator does meanwhile."""

from collections.abc import Iterator

import httpx
import pytest

from codemodel_delivery.gguf.header import Header
from e2e.waiting import until

from .api import MERGE, Api, path_of
from .bench import Bench
from .reconciling import Reconciling

NAME = "coder"
RECONCILES = 100
SET = 4
_SECONDS = 30


class NoHeaders:
    """Knows of no model: none is needed here."""

    async def read(self, source: str) -> Header | None:
        raise AssertionError(f"{source} was asked for")


@pytest.fixture
def reconciling(control_plane: Bench) -> Iterator[Reconciling]:
    kubeconfig = control_plane.plane.kubeconfig("replicas", control_plane.plane.url, control_plane.token)
    with Reconciling.connected(kubeconfig, NoHeaders()) as connected:
        yield connected


def scale(api: Api, namespace: str, replicas: int) -> None:
    """Set the replicas as the autoscaler does: through the scale subresource, under its own name."""
    answer = api.raw(
        "PATCH",
        f"{path_of('Deployment', namespace, NAME)}/scale",
        params={"fieldManager": "kube-controller-manager"},
        json={"spec": {"replicas": replicas}},
        headers={"Content-Type": MERGE},
    )
    assert answer.status_code == httpx.codes.OK, answer.text


def replicas(api: Api, namespace: str) -> int:
    deployment = api.get("Deployment", NAME, namespace)
    assert deployment
    return int(deployment["spec"]["replicas"])


def test_they_outlive_reconciles_changes_and_a_restart(
    control_plane: Bench, reconciling: Reconciling
) -> None:
    api = control_plane.api
    with control_plane.namespace() as namespace:
        api.create(
            {
                "apiVersion": "codemodel.dev/v1alpha1",
                "kind": "CodeModel",
                "metadata": {"name": NAME, "namespace": namespace},
                "spec": {"engine": {"name": "mock"}},
            }
        )
        reconciling.settle(namespace, NAME)
        scale(api, namespace, SET)
        for number in range(RECONCILES):
            # Every other one has something to write: into the Deployment, and into others.
            if number % 2:
                change = {"engine": {"parallel": 1 + number % 7}, "scaling": {"target": 50 + number}}
                api.merge("CodeModel", namespace, NAME, {"spec": change})
            reconciling.settle(namespace, NAME)
            assert replicas(api, namespace) == SET, f"after {number + 1} reconciles"
        kubeconfig = control_plane.plane.kubeconfig("restarted", control_plane.plane.url, control_plane.token)
        for start in ("first", "second"):
            api.merge("CodeModel", namespace, NAME, {"spec": {"image": f"server:{start}"}})
            operator = control_plane.operators.start("restarted", kubeconfig, f"--namespace={namespace}")
            until(
                lambda: api.get("CodeModel", NAME, namespace) or {},
                lambda seen: seen["status"]["observedGeneration"] == seen["metadata"]["generation"],
                what=f"the {start} operator to have done its work",
                seconds=_SECONDS,
            )
            operator.stop()
            assert replicas(api, namespace) == SET
        # The autoscaler's next word counts, too.
        scale(api, namespace, 1)
        reconciling.settle(namespace, NAME)
        assert replicas(api, namespace) == 1
