"""Our operator as a program on this machine, run as its peer is; the one in the cluster rests meanwhile."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from e2e.cluster import settings
from e2e.kubectl import kubectl
from e2e.operator_benchmark import codemodels, operators
from e2e.operator_benchmark.program import Program, kubeconfig, text_of
from e2e.ports import free_ports

_LOG = settings.LOGS / "bench-operator-ours.log"


class Outside(codemodels.CodeModels):
    """Our operator of this checkout, with an administrator's rights and without limits."""

    name = "our operator, outside the cluster"

    def __init__(self, config: Path) -> None:
        """Name it; it does not run yet.

        Args:
            config: the kubeconfig.
        """
        health, self._metrics = free_ports(2)
        ports = {"LIVENESS_PORT": str(health), "METRICS_PORT": str(self._metrics)}
        command = (sys.executable, "-m", "codemodel_operator")
        self._ready = f"http://127.0.0.1:{health}/healthz"
        self._program = Program(
            command,
            {"KUBECONFIG": str(config), "SERVER_IMAGE": settings.SERVER_IMAGE, "ALLOW_PRIVATE_SOURCES": "yes"}
            | ports,
            _LOG,
        )

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

    def peak_mebibytes(self) -> float:
        """Return the most resident memory that its process has had, in MiB."""
        return operators.peak_of(self._program.pid)

    def metrics(self) -> str:
        """Return its metrics."""
        return text_of(f"http://127.0.0.1:{self._metrics}/metrics")


@contextmanager
def outside() -> Iterator[Outside]:
    """Our operator outside the cluster; while the body runs, the one in the cluster has no replica.

    Raises:
        KubectlError: the cluster's operator cannot be scaled.
    """
    with kubeconfig() as config:
        operator = Outside(config)
        try:
            _scale(0)
            yield operator
        finally:
            operator.end()
            _scale(1)


def _scale(replicas: int) -> None:
    words = ("scale", codemodels.DEPLOYMENT, f"--replicas={replicas}")
    kubectl(*words, namespace=settings.OPERATOR_NAMESPACE)
    codemodels.wait_until_rolled_out()
