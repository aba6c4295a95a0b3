"""The management port's listener. It is the main process's, and stays whatever becomes of the worker that serves it."""

import socket

# Who connects beyond these, while nobody serves, is told to come again by the kernel.
_BACKLOG = 64


class PortError(Exception):
    """The management port cannot be listened at."""


def listen(host: str, port: int) -> socket.socket:
    """Listens; who connects waits until it is served, in this process or in one forked from it.

    Args:
        host: address to listen at.
        port: port to listen at; 0 takes a free one.

    Raises:
        PortError: the port is taken or not allowed, or the address is not this machine's.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=_BACKLOG)
    except OSError as error:
        where = f"{host} port {port}"
        message = (
            f"cannot listen at {where}: {error.strerror}: give another --management-port or MANAGEMENT_PORT"
        )
        raise PortError(message) from None


def address(listener: socket.socket) -> str:
    """Where it listens, as an http:// URL."""
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
