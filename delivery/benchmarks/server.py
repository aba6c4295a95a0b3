"""`python -m delivery.benchmarks.server FILE`: sends one file as fast as the kernel can, over loopback.

It says its URL on standard output, and sends the whole file to whoever connects, one after another, whatever is asked.
"""

import contextlib
import os
import socket
import sys
from pathlib import Path

_LONGEST_REQUEST = 1 << 16


def main() -> None:
    """Serves until it is ended."""
    path = Path(sys.argv[1])
    with path.open("rb") as file, socket.create_server(("127.0.0.1", 0)) as listening:
        print(f"http://127.0.0.1:{listening.getsockname()[1]}/{path.name}", flush=True)
        while True:
            connection, _ = listening.accept()
            with connection, contextlib.suppress(ConnectionError):
                _send(connection, file.fileno())


def _send(connection: socket.socket, file: int) -> None:
    request = b""
    while b"\r\n\r\n" not in request and len(request) < _LONGEST_REQUEST:
        received = connection.recv(_LONGEST_REQUEST)
        if not received:
            return
        request += received
    size = os.fstat(file).st_size
    head = f'HTTP/1.1 200 OK\r\nContent-Length: {size}\r\nETag: "1"\r\nConnection: close\r\n\r\n'
    connection.sendall(head.encode("ascii"))
    offset = 0
    while offset < size:
        offset += os.sendfile(connection.fileno(), file, offset, size - offset)


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        main()
