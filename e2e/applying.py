"""Applies CodeModels of the suite and waits for what becomes of them."""

from typing import Any

from e2e.api import Api, Manifest
from e2e.codemodels import READY_SECONDS, codemodel, condition
from e2e.kubectl import kubectl
from e2e.waiting import until


def apply(namespace: str, name: str, change: Manifest) -> None:
    """Create or change a CodeModel: the suite's, with ``change`` merged into its spec."""
    kubectl("apply", "-f", "-", namespace=namespace, stdin=codemodel(name, change))


def readiness(api: Api, namespace: str, name: str) -> dict[str, Any]:
    """Return the condition Ready."""
    return condition(api.read("CodeModel", name, namespace), "Ready")


def wait_for_reason(api: Api, namespace: str, name: str, reason: str) -> str:
    """Wait until the CodeModel is not Ready for this reason, and return the message."""
    found = until(
        lambda: readiness(api, namespace, name),
        lambda ready: (ready.get("status"), ready.get("reason")) == ("False", reason),
        what=f"{name} to be not Ready because of {reason}",
        seconds=READY_SECONDS,
    )
    return str(found["message"])


def wait_until_ready(namespace: str, name: str) -> None:
    """Wait until a CodeModel is Ready."""
    kubectl(
        "wait",
        f"codemodel/{name}",
        "--for=condition=Ready",
        f"--timeout={READY_SECONDS}s",
        namespace=namespace,
    )
