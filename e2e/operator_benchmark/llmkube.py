"""The peer: LLMKube's manager as a program on this machine, out of a checkout of it that the user has built."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from e2e.cluster import settings
from e2e.kubectl import attempt, kubectl
from e2e.operator_benchmark import operators
from e2e.operator_benchmark.api import Manifest
from e2e.operator_benchmark.operators import BenchmarkError
from e2e.operator_benchmark.program import Program, kubeconfig, text_of
from e2e.ports import free_ports

MANAGER = Path("bin") / "manager"
CRDS = Path("config") / "crd" / "bases"
_GROUP = "llmkube.dev"
_API = "inference.llmkube.dev/v1alpha1"
_MODEL = "bench-model"
_READY_SECONDS = 60
_LOG = settings.LOGS / "bench-operator-llmkube.log"


class LLMKube:
    """LLMKube's manager with an administrator's rights and without limits; its settings are its defaults."""

    name = "LLMKube"

    def __init__(self, folder: Path, config: Path) -> None:
        """Name it; it does not run yet.

        Args:
            folder: the checkout.
            config: the kubeconfig.
        """
        health, self._metrics = free_ports(2)
        self._ready = f"http://127.0.0.1:{health}/readyz"
        addresses = (
            f"--health-probe-bind-address=127.0.0.1:{health}",
            f"--metrics-bind-address=127.0.0.1:{self._metrics}",
            "--metrics-secure=false",
        )
        environment = {"KUBECONFIG": str(config)}
        self._program = Program((folder / MANAGER, *addresses), environment, _LOG)

    @property
    def edit(self) -> Manifest:
        """What changes the template of an InferenceService's Deployment."""
        return {"contextSize": 8192}

    def resource(self, name: str) -> Manifest:
        """Return an InferenceService of no replica. (Not a suspended one: that has no HPA.)"""
        metric = {"type": "Resource", "name": "cpu", "targetAverageUtilization": 70}
        return {
            "apiVersion": _API,
            "kind": "InferenceService",
            "metadata": {"name": name},
            "spec": {
                "modelRef": _MODEL,
                "replicas": 0,
                "autoscaling": {"minReplicas": 1, "maxReplicas": 5, "metrics": [metric]},
                "resources": {"cpu": "500m", "memory": "512Mi"},
            },
        }

    def prepare(self, namespace: str) -> None:
        """Create the Model that all InferenceServices of a namespace share: one that the manager does not fetch.

        Raises:
            KubectlError: it does not become Ready.
        """
        kubectl("create", "-f", "-", namespace=namespace, stdin=model())
        words = (f"models.{_API.partition('/')[0]}/{_MODEL}", "--for=jsonpath={.status.phase}=Ready")
        kubectl("wait", *words, f"--timeout={_READY_SECONDS}s", namespace=namespace)

    def restart(self) -> None:
        """End it if it runs, and start it.

        Raises:
            BenchmarkError: it does not become ready.
        """
        self._program.end()
        self._program.start(self._ready)

    def end(self) -> None:
        """End it if it runs."""
        self._program.end()

    def requests(self) -> Counter[str]:
        """Return how many requests it has sent since its start, by method: client-go tells no kind."""
        return operators.samples(self._text(), "rest_client_requests_total", ("method",))

    def reconciles(self) -> int:
        """Return how many reconciles of InferenceServices it has ended since its start."""
        name = "controller_runtime_reconcile_total"
        return operators.samples(self._text(), name, (), controller="inferenceservice").total()

    def peak_mebibytes(self) -> float:
        """Return the most resident memory that its process has had, in MiB."""
        return operators.peak_of(self._program.pid)

    def _text(self) -> str:
        return text_of(f"http://127.0.0.1:{self._metrics}/metrics")


def model() -> Manifest:
    """Return a Model that names a repository: the manager leaves it to the pods, of which there are none."""
    return {
        "apiVersion": _API,
        "kind": "Model",
        "metadata": {"name": _MODEL},
        "spec": {"source": "bench/nothing"},
    }


@contextmanager
def llmkube(folder: Path) -> Iterator[LLMKube]:
    """LLMKube on the cluster: its resource definitions are there while the body runs, and gone afterwards.

    Args:
        folder: a checkout of LLMKube with its manager built.

    Raises:
        BenchmarkError: that is not in the folder, or the cluster has LLMKube already.
        KubectlError: the definitions are refused.
    """
    require_built(folder)
    require_absent(attempt("get", "crds", "-o", "name").output, folder)
    with kubeconfig() as config:
        operator = LLMKube(folder, config)
        try:
            kubectl("create", "-f", str(folder / CRDS))
            kubectl(
                "wait",
                "--for=condition=Established",
                f"--timeout={_READY_SECONDS}s",
                "-f",
                str(folder / CRDS),
            )
            yield operator
        finally:
            operator.end()
            kubectl("delete", "-f", str(folder / CRDS), "--ignore-not-found")


def require_built(folder: Path) -> None:
    """Check that a folder has what is needed of LLMKube.

    Raises:
        BenchmarkError: something is not there.
    """
    for path, what in ((MANAGER, "its manager"), (CRDS, "its resource definitions")):
        if not (folder / path).exists():
            raise BenchmarkError(
                f"{folder} has no {path}: give --llmkube a checkout of LLMKube with {what} there"
            )


def require_absent(names: str, folder: Path) -> None:
    """Check that a cluster has nothing of LLMKube, because it is all removed in the end.

    Args:
        names: the cluster's resource definitions as `kubectl get crds -o name` prints them.
        folder: the checkout.

    Raises:
        BenchmarkError: there is something.
    """
    if any(name.endswith(f".{_GROUP}") for name in names.split()):
        raise BenchmarkError(
            f"the cluster has resource definitions of {_GROUP}, which the benchmark would remove: use another "
            f"cluster, or, if a run that was killed left them, kubectl delete -f {folder / CRDS}"
        )
