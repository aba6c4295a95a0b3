"""What is kept of the cluster when a test fails."""

import re
from pathlib import Path

from e2e.cluster import settings
from e2e.codemodels import HUB_NAMESPACE
from e2e.kubectl import attempt

ARTIFACTS = settings.ROOT / "artifacts" / "e2e"


def folder_of(test: str) -> Path:
    """Return the folder of a test's artifacts; ``test`` is pytest's node id."""
    short = test.rpartition("/")[2]
    return ARTIFACTS / re.sub(r"[^\w.-]+", "-", short).strip("-")


def collect(folder: Path, namespace: str) -> None:
    """Write the state of a test's namespace, and what operator and hub said, into a folder.

    A part that cannot be had leaves kubectl's error in its file.
    """
    folder.mkdir(parents=True, exist_ok=True)
    server_logs = ("logs", "--selector=app.kubernetes.io/name=codemodel", "--prefix", "--tail=2000")
    parts: dict[str, tuple[str, tuple[str, ...]]] = {
        "codemodels.yaml": (namespace, ("get", "codemodels", "-o", "yaml")),
        "children.yaml": (namespace, ("get", "deployments,services,hpa,pvc", "-o", "yaml")),
        "pods.txt": (namespace, ("describe", "pods")),
        "events.txt": (namespace, ("get", "events", "--sort-by=.lastTimestamp", "-o", "wide")),
        "server.log": (namespace, (*server_logs, "--all-containers")),
        "operator.log": (
            settings.OPERATOR_NAMESPACE,
            ("logs", "deployment/codemodel-operator", "--tail=5000"),
        ),
        "operator-previous.log": (
            settings.OPERATOR_NAMESPACE,
            ("logs", "deployment/codemodel-operator", "--previous", "--tail=2000"),
        ),
        "operator-pods.txt": (settings.OPERATOR_NAMESPACE, ("describe", "pods")),
        "hub.log": (HUB_NAMESPACE, ("logs", "deployment/model-hub", "--tail=1000")),
        "nodes.txt": ("default", ("describe", "nodes")),
    }
    for name, (where, arguments) in parts.items():
        outcome = attempt(*arguments, namespace=where)
        (folder / name).write_text(outcome.output + outcome.error)
