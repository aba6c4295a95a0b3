"""The kind cluster itself: created when absent, kept when healthy, recreated when not."""

import json
import os
import subprocess
import time
from pathlib import Path

from e2e.cluster import binaries, node_image, settings
from e2e.cluster.steps import Step, StepError, step

READY_SECONDS = 180
HEALTHY_SECONDS = 20
"""How long an existing cluster may take to answer before it is taken for dead: an API server that came back
with its node needs about ten seconds."""

STALE_LOCK_SECONDS = 30

PORTS = {8080: 30080, 8081: 30081, 8082: 30082, 8083: 30083}
"""Ports of 127.0.0.1 and the NodePorts behind them: the sample's first, then three for the end-to-end suite."""


def configuration(*, built: bool) -> str:
    """kind's configuration. A node image built here brings its own pod network; the published one has kindnet."""
    return json.dumps(
        {
            "kind": "Cluster",
            "apiVersion": "kind.x-k8s.io/v1alpha4",
            "name": settings.CLUSTER,
            "networking": {"disableDefaultCNI": built, "podSubnet": "10.244.0.0/16"},
            "nodes": [
                {
                    "role": "control-plane",
                    "extraPortMappings": [
                        {
                            "hostPort": host,
                            "containerPort": node,
                            "listenAddress": "127.0.0.1",
                            "protocol": "TCP",
                        }
                        for host, node in PORTS.items()
                    ],
                }
            ],
            # Kubernetes refuses to start on cgroup v1 unless told that this is meant.
            "kubeadmConfigPatches": ["kind: KubeletConfiguration\nfailCgroupV1: false\n"],
        },
        indent=2,
    )


def kind() -> Path:
    """The kind binary in use."""
    return binaries.client("kind", "sigs.k8s.io/kind")


def kubectl() -> Path:
    """The kubectl binary in use."""
    return binaries.client("kubectl", "k8s.io/kubernetes/cmd/kubectl")


def ensure() -> bool:
    """Have a healthy cluster, and links to kind and kubectl in the checkout's ``bin/``.

    Returns:
        Whether the cluster was created now; False: it was there and healthy.

    Raises:
        StepError: it cannot be created, or its node does not become ready.
    """
    image = node_image.ensure()
    link_clients()
    _clear_stale_lock()
    if _runs(image) and _becomes_healthy():
        return False
    _delete()
    with step("Creating the kind cluster", "`make down`, then again") as current:
        _create(current, image)
    return True


def link_clients() -> None:
    """``bin/kind`` and ``bin/kubectl`` in the checkout."""
    settings.LINKS.mkdir(exist_ok=True)
    for client in (kind(), kubectl()):
        name = "kind" if client.name.startswith("kind") else "kubectl"
        link = settings.LINKS / name
        link.unlink(missing_ok=True)
        link.symlink_to(client)


def remove() -> None:
    """Delete the cluster and its kubeconfig entry, if there is one."""
    with step("Deleting the kind cluster"):
        _delete()


def _clear_stale_lock() -> None:
    """Remove a lock beside the kubeconfig whose owner was killed: kind and kubectl hold it for milliseconds."""
    for path in os.environ.get("KUBECONFIG", str(Path.home() / ".kube" / "config")).split(os.pathsep):
        lock = Path(f"{path}.lock")
        if lock.exists() and time.time() - lock.stat().st_mtime > STALE_LOCK_SECONDS:
            lock.unlink(missing_ok=True)


def _delete() -> None:
    Step("delete cluster", "").run(kind(), "delete", "cluster", "--name", settings.CLUSTER)


def _create(current: Step, image: str) -> None:
    file = settings.CACHE / "kind.json"
    file.write_text(configuration(built=image != node_image.PUBLISHED))
    arguments = (
        "--name",
        settings.CLUSTER,
        "--image",
        image,
        "--config",
        file,
        "--wait",
        f"{READY_SECONDS}s",
    )
    try:
        current.run(kind(), "create", "cluster", "--retain", *arguments)
        current.run(
            kubectl(),
            "--context",
            settings.CONTEXT,
            "wait",
            "--for=condition=Ready",
            "nodes",
            "--all",
            "--timeout=60s",
        )
    except StepError:
        logs = settings.LOGS / "kind"
        subprocess.run(
            [kind(), "export", "logs", "--name", settings.CLUSTER, logs], capture_output=True, check=False
        )
        raise


def _runs(image: str) -> bool:
    """Whether our node container runs, from this very image."""
    inspect = [
        "docker",
        "inspect",
        "--format",
        "{{.State.Running}} {{.Config.Image}}",
        settings.NODE_CONTAINER,
    ]
    run = subprocess.run(inspect, capture_output=True, text=True, check=False)
    return run.stdout.split() == ["true", image]


def _becomes_healthy() -> bool:
    """Whether the API server answers and its node is Ready within :data:`HEALTHY_SECONDS`."""
    export = [str(kind()), "export", "kubeconfig", "--name", settings.CLUSTER]
    if subprocess.run(export, capture_output=True, check=False).returncode != 0:
        return False
    wait = ["wait", "--for=condition=Ready", "nodes", "--all", "--timeout=5s"]
    ask = [str(kubectl()), "--context", settings.CONTEXT, "--request-timeout=5s", *wait]
    deadline = time.monotonic() + HEALTHY_SECONDS
    while time.monotonic() < deadline:
        if subprocess.run(ask, capture_output=True, env=dict(os.environ), check=False).returncode == 0:
            return True
        time.sleep(0.5)
    return False
