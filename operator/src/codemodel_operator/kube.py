"""The cluster behind a real API server: the only module that talks to one and that translates its errors.

The kinds are known, so paths are built here and nothing is discovered: discovery is slow when threads race
for it, and it fails as a whole when any aggregated API of the cluster is down.
"""

import asyncio
import json
import logging
from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import Any

import urllib3
from kubernetes.client import ApiClient, Configuration
from kubernetes.client.exceptions import ApiException
from kubernetes.config import ConfigException, load_incluster_config, load_kube_config
from kubernetes.dynamic import DynamicClient

from .api import API_VERSION, GROUP, KIND, PLURAL, VERSION
from .cluster import FIELD_MANAGER, Manifest, settled
from .errors import ConflictError, EndingError, ExistsError, OperatorError, RefusedError, TemporaryError

logger = logging.getLogger(__name__)

_PATHS = {
    KIND: f"/apis/{GROUP}/{VERSION}/namespaces/{{}}/{PLURAL}",
    "Deployment": "/apis/apps/v1/namespaces/{}/deployments",
    "HorizontalPodAutoscaler": "/apis/autoscaling/v2/namespaces/{}/horizontalpodautoscalers",
    "Service": "/api/v1/namespaces/{}/services",
    "NetworkPolicy": "/apis/networking.k8s.io/v1/namespaces/{}/networkpolicies",
    "PodDisruptionBudget": "/apis/policy/v1/namespaces/{}/poddisruptionbudgets",
    "PersistentVolumeClaim": "/api/v1/namespaces/{}/persistentvolumeclaims",
    "Pod": "/api/v1/namespaces/{}/pods",
    "Event": "/api/v1/namespaces/{}/events",
}
_TIMEOUT = (5, 30)
"""Seconds to connect, and to wait for an answer."""

_REFUSED = (
    HTTPStatus.BAD_REQUEST,
    HTTPStatus.FORBIDDEN,
    HTTPStatus.METHOD_NOT_ALLOWED,
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    HTTPStatus.UNPROCESSABLE_ENTITY,
)


Requested = Callable[[str, str], None]
"""Called with the HTTP method and the kind of every request."""


def _uncounted(_method: str, _kind: str) -> None:
    """Count nothing."""


class KubeCluster:
    """Implements `cluster.Cluster` with the kubernetes package, each call in a thread."""

    def __init__(self, client: DynamicClient, requested: Requested = _uncounted) -> None:
        self._client = client
        self._requested = requested

    @classmethod
    def connect(cls, connections: int, requested: Requested = _uncounted) -> "KubeCluster":
        """Return a cluster reached by the pod's service account, or else by the kubeconfig.

        Args:
            connections: kept open at most.
            requested: called with the HTTP method and the kind of every request, from any thread.

        Raises:
            OperatorError: neither is there; the message says what to do.
        """
        configuration = Configuration()
        try:
            load_incluster_config(client_configuration=configuration)
        except ConfigException:
            try:
                load_kube_config(client_configuration=configuration)
            except ConfigException as error:
                raise OperatorError(
                    f"No cluster is configured ({error}); run in a pod or set KUBECONFIG"
                ) from error
        configuration.connection_pool_maxsize = connections
        configuration.retries = False
        return cls(DynamicClient(ApiClient(configuration), discoverer=lambda *_: None), requested)

    async def require_served(self, namespaces: Iterable[str]) -> None:
        """Check that CodeModels can be listed in these namespaces.

        Raises:
            OperatorError: they cannot be; the message says what to do.
        """
        for namespace in namespaces:
            try:
                await self._request("get", KIND, namespace, limit=1)
            except _NotFoundError as error:
                raise OperatorError(
                    f"The cluster does not know {PLURAL}.{GROUP}; let an administrator of the cluster run "
                    f"kubectl apply -k crds"
                ) from error
            except RefusedError as error:
                raise OperatorError(
                    f"CodeModels in namespace {namespace} cannot be served ({error}); apply "
                    f"deploy/overlays/nautilus/role.yaml there, or correct NAMESPACES"
                ) from error

    async def get(self, kind: str, namespace: str, name: str) -> Manifest | None:
        """See `Cluster.get`."""
        try:
            return await self._request("get", kind, namespace, name)
        except _NotFoundError:
            return None

    async def list_pods(self, namespace: str, labels: dict[str, str]) -> list[Manifest]:
        """See `Cluster.list_pods`."""
        selector = ",".join(f"{key}={value}" for key, value in labels.items())
        found = await self._request("get", "Pod", namespace, label_selector=selector)
        return list(found.get("items") or [])

    async def read_log(self, namespace: str, pod: str, container: str, lines: int) -> str:
        """See `Cluster.read_log`."""
        path = f"{_PATHS['Pod'].format(namespace)}/{pod}/log"
        query = [("container", container), ("tailLines", lines)]
        # A single line of JSON comes parsed.
        self._requested("get", "Pod/log")
        answer = await self._call("get", path, f"log of pod {namespace}/{pod}", query_params=query)
        return answer if isinstance(answer, str) else json.dumps(answer)

    async def create(self, manifest: Manifest) -> Manifest:
        """See `Cluster.create`."""
        namespace = manifest["metadata"]["namespace"]
        query = [("fieldManager", FIELD_MANAGER)]
        return await self._request("post", manifest["kind"], namespace, body=manifest, query_params=query)

    async def apply(self, manifest: Manifest) -> Manifest:
        """See `Cluster.apply`."""
        return await self._patch(manifest, "application/apply-patch+yaml", force_conflicts="true")

    async def overwrite(self, manifest: Manifest) -> None:
        """See `Cluster.overwrite`."""
        await self._patch(manifest, "application/merge-patch+json")

    async def disclaim(self, live: Manifest) -> None:
        """See `Cluster.disclaim`."""
        metadata = live["metadata"]
        body = {
            "kind": live["kind"],
            "metadata": {
                **{key: metadata[key] for key in ("name", "namespace", "uid", "resourceVersion")},
                "managedFields": settled(metadata["managedFields"]),
            },
        }
        await self._patch(body, "application/merge-patch+json")

    async def delete(self, live: Manifest) -> None:
        """See `Cluster.delete`."""
        metadata = live["metadata"]
        body = {"preconditions": {"uid": metadata["uid"]}, "propagationPolicy": "Background"}
        try:
            await self._request("delete", live["kind"], metadata["namespace"], metadata["name"], body=body)
        except _NotFoundError:
            logger.debug("Already deleted: %s %s", live["kind"], metadata["name"])

    async def write_status(self, namespace: str, name: str, uid: str, status: Manifest) -> None:
        """See `Cluster.write_status`."""
        body = {
            "apiVersion": API_VERSION,
            "kind": KIND,
            "metadata": {"name": name, "namespace": namespace, "uid": uid},
            "status": status,
        }
        try:
            await self._patch(body, "application/apply-patch+yaml", "/status", force_conflicts="true")
        except _NotFoundError:
            logger.debug("Deleted before its status was written: %s %s", namespace, name)

    async def list_events(self, namespace: str, uid: str) -> list[Manifest]:
        """See `Cluster.list_events`."""
        found = await self._request("get", "Event", namespace, field_selector=f"involvedObject.uid={uid}")
        return list(found.get("items") or [])

    async def create_event(self, event: Manifest) -> None:
        """See `Cluster.create_event`."""
        await self._request("post", "Event", event["metadata"]["namespace"], body=event)

    async def _patch(self, body: Manifest, content_type: str, suffix: str = "", **query: Any) -> Manifest:
        metadata = body["metadata"]
        return await self._request(
            "patch",
            body["kind"],
            metadata["namespace"],
            metadata["name"] + suffix,
            body=body,
            content_type=content_type,
            field_manager=FIELD_MANAGER,
            **query,
        )

    async def _request(
        self, verb: str, kind: str, namespace: str, name: str = "", **options: Any
    ) -> Manifest:
        path = "/".join(filter(None, (_PATHS[kind].format(namespace), name)))
        self._requested(verb, kind)
        result: Manifest = await self._call(verb, path, f"{verb} {kind} {namespace}/{name}", **options)
        # Objects in a list and the answers of some verbs lack it; the callers rely on it.
        result.setdefault("kind", kind)
        return result

    async def _call(self, verb: str, path: str, what: str, **options: Any) -> Any:
        # DynamicClient appends to lists that all calls share unless each brings its own.
        own = {"body": None, "query_params": [], "header_params": {}, **options}

        def call() -> Any:
            return self._client.request(
                verb, path, serializer=lambda _client, data: data, _request_timeout=_TIMEOUT, **own
            )

        return await asyncio.to_thread(_translating, call, what)


class _NotFoundError(TemporaryError):
    """The object, its namespace or its kind does not exist (yet)."""


def _translating(call: Callable[[], Any], what: str) -> Any:
    try:
        return call()
    except ApiException as error:
        body = _body(error)
        message = str(body.get("message") or error.reason or error.body or error.status)
        if _namespace_ends(body):
            raise EndingError(message) from error
        if error.status == HTTPStatus.NOT_FOUND:
            raise _NotFoundError(f"{what}: {message}") from error
        if error.status in _REFUSED:
            raise RefusedError(message) from error
        if body.get("reason") == "AlreadyExists":
            raise ExistsError(f"{what}: {message}") from error
        if error.status == HTTPStatus.CONFLICT:
            raise ConflictError(f"{what}: {message}") from error
        raise TemporaryError(f"{what}: {error.status} {message}") from error
    except (urllib3.exceptions.HTTPError, OSError) as error:
        raise TemporaryError(f"{what}: {error}") from error


def _body(error: ApiException) -> Manifest:
    """Return the Status object that the API server answers errors with, empty when something else answered."""
    try:
        body = json.loads(error.body)
    except (TypeError, ValueError):
        return {}
    return body if isinstance(body, dict) else {}


def _namespace_ends(body: Manifest) -> bool:
    causes = (body.get("details") or {}).get("causes") or []
    return any(cause.get("reason") == "NamespaceTerminating" for cause in causes)
