"""The Service in front of the replicas."""

from typing import Any

from ..api.codemodel import Owner
from ..api.spec import CodeModelSpec
from .labels import metadata, selector


def build_service(owner: Owner, spec: CodeModelSpec) -> dict[str, Any]:
    """Return the Service: its port to the port `http` of the pods."""
    port: dict[str, Any] = {
        "name": "http",
        "port": spec.service.port,
        "protocol": "TCP",
        "targetPort": "http",
    }
    if spec.service.node_port is not None:
        port["nodePort"] = spec.service.node_port
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": metadata(owner),
        "spec": {"type": spec.service.type, "selector": selector(owner.name), "ports": [port]},
    }
