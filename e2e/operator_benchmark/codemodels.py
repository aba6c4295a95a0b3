"""Our operator: what its custom resources are, and how it is measured in the cluster, where `make up` put it."""

import json
from abc import ABC, abstractmethod
from collections import Counter

from e2e.cluster import settings
from e2e.kubectl import kubectl, raw
from e2e.operator_benchmark import operators
from e2e.operator_benchmark.api import Manifest

DEPLOYMENT = "deployment/codemodel-operator"
_STATUS = "print(open('/proc/1/status').read())"
_PYTHON = "/opt/venv/bin/python"
_READY_SECONDS = 120


class CodeModels(ABC):
    """Our operator's side of every case, wherever it runs."""

    @property
    def edit(self) -> Manifest:
        """What changes the template of a CodeModel's Deployment."""
        return {"engine": {"parallel": 8}}

    def resource(self, name: str) -> Manifest:
        """Return a suspended CodeModel: it has all its children, the autoscaler included, and no pod."""
        return {
            "apiVersion": "codemodel.dev/v1alpha1",
            "kind": "CodeModel",
            "metadata": {"name": name},
            "spec": {"engine": {"name": "mock"}, "suspend": True},
        }

    def prepare(self, namespace: str) -> None:  # noqa: B027 - the same wherever it runs
        """Nothing: a CodeModel refers to nothing."""

    def requests(self) -> Counter[str]:
        """Return how many requests it has sent since its start, watches left out, by method and kind."""
        return operators.samples(self.metrics(), "codemodel_operator_api_requests_total", ("method", "kind"))

    def reconciles(self) -> int:
        """Return how many reconciles it has ended since its start."""
        return operators.samples(self.metrics(), "codemodel_operator_reconcile_seconds_count", ()).total()

    @abstractmethod
    def metrics(self) -> str:
        """Return its metrics in Prometheus' text format."""


class Deployed(CodeModels):
    """Our operator in the cluster, in its image, with its limits and its rights."""

    name = "our operator, in the cluster"

    def restart(self) -> None:
        """Roll it out anew.

        Raises:
            KubectlError: it does not become ready.
        """
        kubectl("rollout", "restart", DEPLOYMENT, namespace=settings.OPERATOR_NAMESPACE)
        wait_until_rolled_out()

    def peak_mebibytes(self) -> float:
        """Return the most resident memory that its process has had, in MiB."""
        words = ("exec", DEPLOYMENT, "--", _PYTHON, "-c", _STATUS)
        return operators.peak_mebibytes(kubectl(*words, namespace=settings.OPERATOR_NAMESPACE))

    def metrics(self) -> str:
        """Return its metrics, through the API server."""
        namespace = settings.OPERATOR_NAMESPACE
        found = json.loads(kubectl("get", "pods", "-o", "json", namespace=namespace))
        (pod,) = [
            item["metadata"]["name"] for item in found["items"] if "deletionTimestamp" not in item["metadata"]
        ]
        return raw(f"/api/v1/namespaces/{namespace}/pods/{pod}:8082/proxy/metrics").decode()


def wait_until_rolled_out() -> None:
    """Wait until the operator in the cluster is ready as its Deployment has it.

    Raises:
        KubectlError: it does not become so.
    """
    timeout = f"--timeout={_READY_SECONDS}s"
    kubectl("rollout", "status", DEPLOYMENT, timeout, namespace=settings.OPERATOR_NAMESPACE)
