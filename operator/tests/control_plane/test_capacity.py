"""A model that no node can hold, with the real scheduler: said by its reason, and over when a larger node comes."""

from collections.abc import Iterator
from contextlib import contextmanager

from delivery.tests.fetch import hub
from delivery.tests.gguf.models import model
from e2e.waiting import until

from .api import Api, Manifest
from .bench import Bench
from .test_rights import running

_SECONDS = 60


@contextmanager
def node(api: Api, name: str, memory: str) -> Iterator[None]:
    """A node that takes pods, which nothing will run there."""
    labels = {"kubernetes.io/hostname": name}
    api.create({"apiVersion": "v1", "kind": "Node", "metadata": {"name": name, "labels": labels}})
    try:
        resources = {"cpu": "8", "memory": memory, "pods": "10", "ephemeral-storage": "100Gi"}
        status = {"capacity": resources, "allocatable": resources}
        api.merge("Node", None, name, {"status": status}, "/status")
        # The API server taints it until a kubelet has reported.
        api.merge("Node", None, name, {"spec": {"taints": None}})
        yield
    finally:
        api.delete("Node", name)


def test_it_waits_without_a_byte_and_starts_by_itself(control_plane: Bench) -> None:
    api = control_plane.api
    with (
        control_plane.plane.controllers("deployment-controller", "replicaset-controller"),
        control_plane.plane.scheduler(),
        control_plane.namespace() as namespace,
        hub.running(hub.Hub(hub.parts)) as models,
        node(api, "small", "100Mi"),
        running(control_plane, "capacity", f"--namespace={namespace}", "--allow-private-sources=yes"),
    ):
        models.content = model()
        spec = {
            "model": {"source": models.url},
            "cache": {"mode": "Ephemeral"},
            "resources": {"requests": {"cpu": "100m"}},
        }
        api.create(
            {
                "apiVersion": "codemodel.dev/v1alpha1",
                "kind": "CodeModel",
                "metadata": {"name": "coder", "namespace": namespace},
                "spec": spec,
            }
        )

        def stalled() -> Manifest:
            found = api.get("CodeModel", "coder", namespace) or {}
            conditions: list[Manifest] = found.get("status", {}).get("conditions") or []
            return next((c for c in conditions if c["type"] == "Stalled"), {})

        told = until(
            stalled, lambda found: found.get("status") == "True", what="the verdict", seconds=_SECONDS
        )
        assert told["reason"] == "ModelDoesNotFit"
        assert "the largest node, small, has 100Mi for its pods" in told["message"]
        with node(api, "large", "4Gi"):
            until(
                lambda: [pod["spec"].get("nodeName") for pod in api.list("Pod", namespace)],
                lambda names: names == ["large"],
                what="the pod on the larger node",
                seconds=_SECONDS,
            )
            until(
                stalled, lambda found: found.get("status") == "False", what="the end of it", seconds=_SECONDS
            )
