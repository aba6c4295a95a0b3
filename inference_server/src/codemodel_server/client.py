"""Whether the client of a request is still there."""

import select
from collections.abc import Mapping
from typing import Any

from codemodel_server.engines.base import Abandoned


def departure_of_client(environ: Mapping[str, Any]) -> Abandoned:
    """A function that tells, without waiting, whether the request's client has closed its connection.

    Args:
        environ: the request's WSGI environment; without gunicorn's socket in it the client always counts as there.
    """
    socket = environ.get("gunicorn.socket")
    if socket is None:
        return lambda: False
    poller = select.poll()
    poller.register(socket, select.POLLRDHUP | select.POLLHUP | select.POLLERR)
    return lambda: bool(poller.poll(0))
