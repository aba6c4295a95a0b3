"""The connection to the API server: `kubernetes.aio` without its models, for what is sent and read is plain data."""

import os
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

import aiohttp
from kubernetes.aio.client import ApiClient, Configuration
from kubernetes.aio.config import ConfigException, load_incluster_config, load_kube_config

from .answers import Answer
from .cluster import FIELD_MANAGER
from .errors import OperatorError

TIMEOUT = aiohttp.ClientTimeout(total=None, sock_connect=5, sock_read=30)
"""Seconds to connect, and to wait for an answer."""


class Connection:
    """A pool of connections to the API server; of one event loop, which must run when it is made.

    Args:
        configuration: says where the API server is and who we are.
    """

    def __init__(self, configuration: Configuration) -> None:
        self._client = ApiClient(configuration)

    async def aclose(self) -> None:
        """Close all connections."""
        await self._client.close()

    async def send(
        self, method: str, path: str, *, query: Mapping[str, Any], body: Any = None, content_type: str
    ) -> Answer:
        """Send a request and return the whole answer, whatever its status.

        Args:
            method: of HTTP.
            path: from the root of the API server.
            query: parameters as the API server spells them.
            body: plain data, sent as JSON; None for no body.
            content_type: of the body.

        Raises:
            aiohttp.ClientError, OSError: there was no answer, or not all of it.
        """
        headers = {"Accept": "application/json", "Content-Type": content_type, "User-Agent": FIELD_MANAGER}
        # Reads the pod's token anew when it is older than a minute.
        await self._client.update_params_for_auth(headers, [], ["BearerToken"], path, method, body)
        url = f"{self._client.configuration.host}{path}?{urlencode(query)}"
        response = await self._client.rest_client.request(
            method, url, headers, body, _request_timeout=TIMEOUT
        )
        return Answer(response.status, response.reason or "", await response.read())


async def configured(connections: int) -> Configuration:
    """Return where the API server is and who we are: by the pod's service account, or else by the kubeconfig.

    Args:
        connections: kept open at most.

    Raises:
        OperatorError: neither is there; the message says what to do.
    """
    configuration = Configuration()
    try:
        load_incluster_config(client_configuration=configuration)
    except ConfigException:
        try:
            await load_kube_config(os.environ.get("KUBECONFIG"), client_configuration=configuration)
        except Exception as error:  # whatever its parts raise: it is the user's file
            raise OperatorError(
                f"No cluster is configured ({error!r}); run in a pod or set KUBECONFIG"
            ) from error
    configuration.connection_pool_maxsize = connections
    # Who trusts the environment asks it for a proxy at each request, in a thread: three times the computing time.
    configuration.client_session_kwargs = {"trust_env": False}
    return configuration
