"""The cluster behind a real API server: the only module that talks to one.

The kinds are known, so paths are built here and nothing is discovered: discovery is slow when threads race
for it, and it fails as a whole when any aggregated API of the cluster is down.
"""

import logging
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Self, TypeVar

import aiohttp

from .answers import NotFoundError, content, manifest_of
from .api import API_VERSION, GROUP, KIND, PLURAL, VERSION
from .cluster import FIELD_MANAGER, Manifest, settled
from .connection import Connection, configured
from .errors import OperatorError, RefusedError, TemporaryError
from .versions import Versions

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
    "Node": "/api/v1/nodes",
    "StorageClass": "/apis/storage.k8s.io/v1/storageclasses",
}
PAGE = 100
"""Objects of the cluster that are read at once; a node may take 50 KiB."""

T = TypeVar("T")

Requested = Callable[[str, str], None]
"""Called with the HTTP method and the kind of every request."""


def _uncounted(_method: str, _kind: str) -> None:
    """Count nothing."""


class KubeCluster:
    """Implements `cluster.Cluster` over HTTP."""

    def __init__(
        self, connection: Connection, requested: Requested = _uncounted, versions: Versions | None = None
    ) -> None:
        self._connection = connection
        self._requested = requested
        self._versions = versions or Versions()

    @classmethod
    async def connect(
        cls, connections: int, requested: Requested = _uncounted, versions: Versions | None = None
    ) -> Self:
        """Return a cluster reached by the pod's service account, or else by the kubeconfig.

        Args:
            connections: kept open at most.
            requested: called with the HTTP method and the kind of every request.
            versions: what else is known of the cluster's objects, such as by watches.

        Raises:
            OperatorError: neither is there; the message says what to do.
        """
        return cls(Connection(await configured(connections)), requested, versions)

    async def aclose(self) -> None:
        """Close all connections."""
        await self._connection.aclose()

    async def require_served(self, namespaces: Iterable[str]) -> None:
        """Check that CodeModels can be listed in these namespaces.

        Raises:
            OperatorError: they cannot be; the message says what to do.
        """
        for namespace in namespaces:
            try:
                await self._request("get", KIND, namespace, limit=1)
            except NotFoundError as error:
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
        # A status is computed from the one before: of that, only the last will do.
        query = {} if kind == KIND else self._as_new(kind)
        try:
            return await self._request("get", kind, namespace, name, **query)
        except NotFoundError:
            return None

    async def list_pods(self, namespace: str, labels: dict[str, str]) -> list[Manifest]:
        """See `Cluster.list_pods`."""
        selector = ",".join(f"{key}={value}" for key, value in labels.items())
        found = await self._request("get", "Pod", namespace, labelSelector=selector, **self._as_new("Pod"))
        return list(found.get("items") or [])

    async def survey(self, kind: str, keep: Callable[[Manifest], T]) -> list[T]:
        """See `Cluster.survey`."""
        kept: list[T] = []
        query: dict[str, Any] = {"limit": PAGE}
        while True:
            found = await self._request("get", kind, "", **query)
            kept += map(keep, found.get("items") or ())
            query["continue"] = found["metadata"].get("continue")
            if not query["continue"]:
                return kept

    async def read_log(self, namespace: str, pod: str, container: str, lines: int) -> str:
        """See `Cluster.read_log`."""
        path = f"{_PATHS['Pod'].format(namespace)}/{pod}/log"
        query = {"container": container, "tailLines": lines}
        self._requested("get", "Pod/log")
        return (await self._call("get", path, f"log of pod {namespace}/{pod}", query=query)).decode(
            errors="replace"
        )

    async def create(self, manifest: Manifest) -> Manifest:
        """See `Cluster.create`."""
        namespace = manifest["metadata"]["namespace"]
        return await self._request(
            "post", manifest["kind"], namespace, body=manifest, fieldManager=FIELD_MANAGER
        )

    async def apply(self, manifest: Manifest) -> Manifest:
        """See `Cluster.apply`."""
        return await self._patch(manifest, "application/apply-patch+yaml", force="true")

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
        except NotFoundError:
            logger.debug("Already deleted: %s %s", live["kind"], metadata["name"])

    async def write_status(self, namespace: str, name: str, uid: str, status: Manifest) -> Manifest | None:
        """See `Cluster.write_status`."""
        body = {
            "apiVersion": API_VERSION,
            "kind": KIND,
            "metadata": {"name": name, "namespace": namespace, "uid": uid},
            "status": status,
        }
        try:
            return await self._patch(body, "application/apply-patch+yaml", "/status", force="true")
        except NotFoundError:
            logger.debug("Deleted before its status was written: %s %s", namespace, name)
            return None

    async def list_events(self, namespace: str, uid: str) -> list[Manifest]:
        """See `Cluster.list_events`."""
        found = await self._request("get", "Event", namespace, fieldSelector=f"involvedObject.uid={uid}")
        return list(found.get("items") or [])

    async def create_event(self, event: Manifest) -> None:
        """See `Cluster.create_event`."""
        await self._request("post", "Event", event["metadata"]["namespace"], body=event)

    def _as_new(self, kind: str) -> dict[str, Any]:
        """Return the query of a read that has to be as new as what is known of this kind."""
        newest = self._versions.newest(kind)
        return {"resourceVersion": newest} if newest else {}

    async def _patch(self, body: Manifest, content_type: str, suffix: str = "", **query: Any) -> Manifest:
        metadata = body["metadata"]
        return await self._request(
            "patch",
            body["kind"],
            metadata["namespace"],
            metadata["name"] + suffix,
            body=body,
            content_type=content_type,
            fieldManager=FIELD_MANAGER,
            **query,
        )

    async def _request(
        self,
        verb: str,
        kind: str,
        namespace: str,
        name: str = "",
        *,
        body: Manifest | None = None,
        content_type: str = "application/json",
        **query: Any,
    ) -> Manifest:
        path = "/".join(filter(None, (_PATHS[kind].format(namespace), name)))
        self._requested(verb, kind)
        what = f"{verb} {kind} {namespace}/{name}"
        try:
            text = await self._call(verb, path, what, body=body, content_type=content_type, query=query)
            result = manifest_of(text, what)
        except NotFoundError:
            raise
        except OperatorError:
            # A write may be done all the same. And who brings back an older etcd brings back older versions.
            self._versions.forget(kind)
            raise
        for object_ in result.get("items", [result]) or ():
            self._versions.note(kind, (object_.get("metadata") or {}).get("resourceVersion"))
        # Objects in a list and the answers of some verbs lack it; the callers rely on it.
        result.setdefault("kind", kind)
        return result

    async def _call(
        self,
        verb: str,
        path: str,
        what: str,
        *,
        query: Mapping[str, Any],
        body: Manifest | None = None,
        content_type: str = "application/json",
    ) -> bytes:
        try:
            answer = await self._connection.send(
                verb, path, query=query, body=body, content_type=content_type
            )
        except (aiohttp.ClientError, OSError) as error:
            raise TemporaryError(f"{what}: {str(error) or type(error).__name__}") from error
        return content(answer, what)
