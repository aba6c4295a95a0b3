"""The headless Service by which replicas find one another: each can tell of all, without access to the API."""

from typing import Any

from ..api.codemodel import Owner
from .labels import metadata, selector


def peers_name(name: str) -> str:
    """Return the name of the headless Service of a CodeModel."""
    return f"{name}-replicas"


def build_peers(owner: Owner) -> dict[str, Any]:
    """Return the Service whose name resolves to the addresses of all replicas, ready or not."""
    port = {"name": "http", "port": 80, "protocol": "TCP", "targetPort": "http"}
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": metadata(owner, peers_name(owner.name)),
        "spec": {
            "type": "ClusterIP",
            "clusterIP": "None",
            "publishNotReadyAddresses": True,
            "selector": selector(owner.name),
            "ports": [port],
        },
    }
