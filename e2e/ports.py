"""TCP ports for what a test or a benchmark starts on this machine."""

import itertools
import os
import random
import socket
import threading

_RANGE = range(20_000, 30_000)
"""Below the ports that Linux gives to outgoing connections (from 32768 on, `ip_local_port_range`) and that
Kubernetes gives to NodePorts (from 30000 on): a port of theirs may be taken by a connection before the program
that is to listen on it has begun."""

_lock = threading.Lock()
_candidates = itertools.cycle(random.Random(os.getpid()).sample(_RANGE, len(_RANGE)))  # noqa: S311 (no secret)
"""None comes twice before all came once; processes begin at different ones."""


def free_ports(count: int) -> list[int]:
    """Return TCP ports that nobody listens on now, each time others; for threads, too.

    Raises:
        RuntimeError: there are not so many.
    """
    with _lock:
        untried = itertools.islice(_candidates, len(_RANGE))
        free = list(itertools.islice(filter(_is_free, untried), count))
    if len(free) < count:
        raise RuntimeError(f"fewer than {count} free TCP ports from {_RANGE.start} to {_RANGE.stop - 1}")
    return free


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        # As servers do: a connection that ended a moment ago is not in their way.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("", port))
        except OSError:
            return False
    return True
