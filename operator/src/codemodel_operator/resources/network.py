"""The NetworkPolicy: what a replica may be asked by, and what it may ask."""

from typing import Any
from urllib.parse import urlsplit

from ..api.codemodel import Owner
from ..api.spec import CodeModelSpec
from .download import Downloads
from .labels import metadata, selector
from .ports import MANAGEMENT_PORT, PORT

_WEB_PORTS = {"http": 80, "https": 443}

_PRIVATE = {
    "0.0.0.0/0": ["10.0.0.0/8", "100.64.0.0/10", "169.254.0.0/16", "172.16.0.0/12", "192.168.0.0/16"],
    "::/0": ["fc00::/7", "fe80::/10"],
}
"""What is not the public network: RFC 1918, 6598, 3927, 4193 and 4291."""

_LINK_LOCAL = {"0.0.0.0/0": ["169.254.0.0/16"], "::/0": ["fe80::/10"]}
"""Where clouds keep the credentials of a node: no model is there."""


def build_network_policy(owner: Owner, spec: CodeModelSpec, downloads: Downloads) -> dict[str, Any]:
    """Return the policy: in to the two ports; out to names, to the other replicas, and to the model's source."""
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": metadata(owner),
        "spec": {
            "podSelector": {"matchLabels": selector(owner.name)},
            "policyTypes": ["Ingress", "Egress"],
            "ingress": [{"ports": [_port(PORT), _port(MANAGEMENT_PORT)]}],
            "egress": [
                {"ports": [_port(53, "UDP"), _port(53)]},
                {"to": [{"podSelector": {"matchLabels": selector(owner.name)}}], "ports": [_port(PORT)]},
                *_download(spec, downloads),
            ],
        },
    }


def _download(spec: CodeModelSpec, downloads: Downloads) -> list[dict[str, Any]]:
    """The init container's way out. A policy is for a whole pod, so the server has it, too."""
    if spec.download is None:
        return []
    if downloads.allow_private:
        # Behind a Service inside the cluster lie pods on any port, and the policy sees theirs.
        return [{"to": _blocks(_LINK_LOCAL)}]
    source = spec.download.source
    url = urlsplit(downloads.hub_endpoint or "https:" if source.startswith("hf://") else source)
    # A hub answers with a redirect to where the file is: under another name, at one of the usual ports.
    ports = {*_WEB_PORTS.values(), url.port or _WEB_PORTS[url.scheme]}
    return [{"to": _blocks(_PRIVATE), "ports": [_port(port) for port in sorted(ports)]}]


def _blocks(excepted: dict[str, list[str]]) -> list[dict[str, Any]]:
    return [{"ipBlock": {"cidr": cidr, "except": but}} for cidr, but in excepted.items()]


def _port(number: int, protocol: str = "TCP") -> dict[str, Any]:
    return {"port": number, "protocol": protocol}
