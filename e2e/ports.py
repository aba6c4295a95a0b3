"""TCP ports for what a test or a benchmark starts on this machine."""

import contextlib
import socket


def free_ports(count: int) -> list[int]:
    """Return TCP ports of the loopback interface that nobody listens on now."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(count)]
        return [int(each.getsockname()[1]) for each in sockets]
