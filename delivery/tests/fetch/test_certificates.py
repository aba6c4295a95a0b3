"""The downloader connects to addresses and checks certificates by name."""

import ipaddress
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import httpx
import pytest

from codemodel_delivery.fetch.guard import Address, GuardedTransport
from delivery.tests.fetch.hub import MODEL


@contextmanager
def encrypted(folder: Path, name: str) -> Iterator[tuple[int, ssl.SSLContext, list[str | None]]]:
    """A TLS server for one name: its port, a context that trusts it, and the server names clients asked for."""
    key, certificate = folder / "key.pem", folder / "certificate.pem"
    command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2".split()
    command += ["-subj", "/CN=test", "-addext", f"subjectAltName=DNS:{name}", "-keyout", str(key)]
    subprocess.run([*command, "-out", str(certificate)], check=True, capture_output=True)

    class Request(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", str(len(MODEL)))
            self.end_headers()
            self.wfile.write(MODEL)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            """Nothing: pytest shows enough."""

    class Server(HTTPServer):
        def handle_error(self, request: object, client_address: object) -> None:
            """Nothing: clients that do not trust it are what is tested."""

    names: list[str | None] = []
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    context.sni_callback = lambda _socket, asked, _context: names.append(asked)
    server = Server(("127.0.0.1", 0), Request)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server.server_address[1], ssl.create_default_context(cafile=str(certificate)), names
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def here(_name: str) -> list[Address]:
    """The address of every name."""
    return [ipaddress.ip_address("127.0.0.1")]


def test_certificates_are_for_the_name_and_not_for_the_address(tmp_path: Path) -> None:
    with encrypted(tmp_path, "right.example") as (there, trust, asked):
        guard = GuardedTransport(allow_private=True, resolve=here, verify=trust)
        with httpx.Client(transport=guard) as client:
            assert client.get(f"https://right.example:{there}/x").content == MODEL
            # The same address: a connection that was kept would pass for the other name, too.
            with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
                client.get(f"https://wrong.example:{there}/x")
    assert asked == ["right.example", "wrong.example"]


def test_certificates_are_checked_unless_told_otherwise(tmp_path: Path) -> None:
    guard = GuardedTransport(allow_private=True, resolve=here)
    with (
        encrypted(tmp_path, "right.example") as (there, _, _asked),
        httpx.Client(transport=guard) as client,
        pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"),
    ):
        client.get(f"https://right.example:{there}/x")
