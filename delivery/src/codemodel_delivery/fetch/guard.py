"""Connects only to addresses that may be fetched from: a model's source must not reach into the cluster.

Whoever may create a model chooses a URL that the cluster's own pods then open. Without a guard such a URL, a redirect
or a name whose address changes after a check reads what only pods can reach: other services, the cloud's metadata.
"""

import ipaddress
import socket
import ssl
from collections.abc import Callable, Sequence

import httpx

from codemodel_delivery.fetch.errors import RefusedSource

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

# No model is here, also where private addresses are allowed: link-local, multicast, unspecified and reserved addresses,
# and those outside of them at which clouds serve credentials to their machines (Alibaba, Azure, Oracle, AWS, Google).
_NEVER = [
    ipaddress.ip_network(text)
    for text in (
        "0.0.0.0/8 169.254.0.0/16 224.0.0.0/4 240.0.0.0/4 ::/128 fe80::/10 ff00::/8 "
        "100.100.100.200/32 168.63.129.16/32 192.0.0.192/32 fd00:ec2::254/128 fd20:ce::254/128"
    ).split()
]
# Special by IANA's registries, and called global by ipaddress in some versions of Python.
_SPECIAL = [ipaddress.ip_network("192.0.0.0/24"), ipaddress.ip_network("192.88.99.0/24")]
# The only IPv6 addresses that IANA has given out as global unicast.
_GLOBAL_UNICAST = ipaddress.ip_network("2000::/3")
# RFC 6052, section 2.1: the last 32 bits are an IPv4 address.
_NAT64 = ipaddress.ip_network("64:ff9b::/96")


class GuardedTransport(httpx.BaseTransport):
    """Resolves a host, checks its addresses and connects to one that passed: nothing is resolved a second time.

    A client sends each redirect through its transport, so each is checked as well. The Host header, TLS's server name
    and the name in the server's certificate stay those of the URL. Proxies named by the environment are not used: a
    client with a transport of its own does not look for them, and a proxy would resolve names where nobody checks.
    Connections are not kept for another request: two names may share an address, and a certificate is for one of them.

    Args:
        allow_private: whether private and loopback addresses may be connected to.
        hosts: the only hosts that may be contacted, as `host_allowed` reads them; none for all.
        verify: checks servers' certificates; None for the system's way.
        resolve: finds a host's addresses.
        inner: makes the connections, to URLs with an address for a host; None for HTTP/1.1 over TCP.
    """

    def __init__(
        self,
        *,
        allow_private: bool = False,
        hosts: Sequence[str] = (),
        verify: ssl.SSLContext | None = None,
        resolve: Callable[[str], Sequence[Address]] | None = None,
        inner: httpx.BaseTransport | None = None,
    ) -> None:
        self._allow_private = allow_private
        self._hosts = hosts
        self._resolve = resolve or resolve_host
        self._inner = inner or httpx.HTTPTransport(
            verify=True if verify is None else verify, limits=httpx.Limits(max_keepalive_connections=0)
        )

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Sends a request to the first allowed address that accepts a connection.

        Raises:
            RefusedSource: the host, or each of its addresses, may not be contacted.
            httpx.TransportError: no address accepts a connection, or what httpx raises.
        """
        name = request.url.raw_host.decode("ascii")
        failure = httpx.ConnectError(f"{name} has no address")
        for address in self._addresses(name):
            outgoing = httpx.Request(
                request.method,
                request.url.copy_with(host=str(address)),
                headers=request.headers,
                stream=request.stream,
                extensions={**request.extensions, "sni_hostname": name},
            )
            try:
                return self._inner.handle_request(outgoing)
            except httpx.ConnectTimeout as error:
                failure = httpx.ConnectError(f"{name} does not answer at {address}")
                failure.__cause__ = error
            except httpx.ConnectError as error:
                failure = error
        raise failure

    def close(self) -> None:
        """Closes what makes the connections."""
        self._inner.close()

    def _addresses(self, name: str) -> list[Address]:
        if self._hosts and not host_allowed(name, self._hosts):
            raise RefusedSource(
                f"{name} is not among the hosts that may be contacted ({', '.join(self._hosts)}): "
                "give a source there, or allow the host with --allow-host"
            )
        found = self._resolve(name)
        refusals = [(address, refusal(address, allow_private=self._allow_private)) for address in found]
        allowed = [address for address, reason in refusals if reason is None]
        if refusals and not allowed:
            address, reason = refusals[0]
            raise RefusedSource(f"{name} has the address {address}, {reason}")
        return allowed


def refusal(address: Address, *, allow_private: bool) -> str | None:
    """Why an address may not be connected to, and what to do about it; None if it may.

    An IPv6 address that stands for an IPv4 address is judged as that: IPv4-mapped (RFC 4291, section 2.5.5.2), NAT64
    (RFC 6052) and 6to4 (RFC 3056). Global is what IANA's special-purpose address registries say.
    """
    if isinstance(address, ipaddress.IPv6Address):
        embedded = address.ipv4_mapped or address.sixtofour
        if address in _NAT64:
            embedded = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        if embedded is not None:
            return refusal(embedded, allow_private=allow_private)
    if any(address in network for network in _NEVER):
        return "which is link-local, reserved or a cloud's metadata service: give a source elsewhere"
    is_global = address.is_global and not any(address in network for network in _SPECIAL)
    if address.version == 6 and address not in _GLOBAL_UNICAST:
        is_global = False
    if is_global or allow_private:
        return None
    return (
        "which is not public: give a public source, or allow private ones with --allow-private "
        "(the operator's configuration: ALLOW_PRIVATE_SOURCES)"
    )


def host_allowed(name: str, patterns: Sequence[str]) -> bool:
    """Whether a host is one of the patterns: its name, or `*.` before the name of a domain that it lies within."""
    host = _normal(name)
    return any(
        host.endswith(wanted[1:]) and host != wanted[1:] if wanted.startswith("*.") else host == wanted
        for wanted in map(_normal, patterns)
    )


def resolve_host(name: str) -> list[Address]:
    """A host's addresses, in the order in which they are to be tried.

    Raises:
        httpx.ConnectError: it has none, or nobody can tell now.
        RefusedSource: it cannot be the name of a host.
    """
    try:
        found = socket.getaddrinfo(name, None, type=socket.SOCK_STREAM)
    except socket.gaierror as error:
        raise httpx.ConnectError(f"cannot resolve {name}: {error.strerror}") from error
    except UnicodeError as error:
        raise RefusedSource(f"{name} is not the name of a host: correct the source") from error
    return list(dict.fromkeys(ipaddress.ip_address(str(entry[4][0])) for entry in found))


def _normal(name: str) -> str:
    return name.lower().rstrip(".")
