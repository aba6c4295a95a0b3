"""Settings of the operator process. Flags and environment variables are read in __main__."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Settings:
    """What an administrator chooses."""

    namespaces: tuple[str, ...] = ()
    """Namespaces to serve; empty means all."""

    server_image: str = "codemodel-server:dev"
    """Image of the inference server for CodeModels that name none."""

    workers: int = 4
    """CodeModels reconciled at the same time."""

    log_format: str = "json"
    """json or text."""

    allow_private_sources: bool = False
    """Whether models may come from addresses inside the cluster or the network around it."""

    hub_endpoint: str | None = None
    """Where hf:// sources lead instead of the public hub."""

    liveness_port: int = 8081
    """TCP port of the liveness endpoint, /healthz."""

    metrics_port: int = 8082
    """TCP port of the metrics, /metrics."""


RESYNC_SECONDS = 300.0
"""Every CodeModel is looked at this often (±20 %), in case an event was missed."""

REFUSED_SECONDS = 30.0
"""Pause before looking again after a refusal that no event of ours would announce the end of."""

UNEXPLAINED_SECONDS = 15.0
"""Pause before looking again why a pod does not start: the Kubernetes Events that tell wake nobody."""

PROGRESS_SECONDS = 5.0
"""Pause before looking again how far a download is."""

REPORT_SECONDS = 2.0
"""The rest of a new CodeModel is made, and its status written, so late if no event of its children comes before."""

STUCK_SECONDS = 300.0
"""No reconcile takes longer, even when each of its requests waits for its timeout: the queue is stuck then."""
