"""The API server, for everything that a test observes: objects in and out as plain data."""

from collections.abc import Iterator
from typing import Any

from kubernetes.client import ApiClient, Configuration
from kubernetes.config import ConfigException, load_kube_config
from kubernetes.dynamic import DynamicClient
from kubernetes.dynamic.exceptions import NotFoundError

from e2e.kubectl import CONTEXT

Manifest = dict[str, Any]

_API_VERSIONS = {
    "CodeModel": "codemodel.dev/v1alpha1",
    "Deployment": "apps/v1",
    "HorizontalPodAutoscaler": "autoscaling/v2",
    "NetworkPolicy": "networking.k8s.io/v1",
    "PodDisruptionBudget": "policy/v1",
}
CHILDREN = (
    "PersistentVolumeClaim",
    "NetworkPolicy",
    "Deployment",
    "Service",
    "HorizontalPodAutoscaler",
    "PodDisruptionBudget",
)
"""Kinds of the children of a CodeModel that downloads to a shared volume and may have several replicas."""


class NoClusterError(Exception):
    """The suite has no cluster to work on; the message says what to do."""


class Api:
    """Reads and writes objects of the kinds that the suite knows."""

    def __init__(self) -> None:
        """Connect to the cluster of the kubeconfig context.

        Raises:
            NoClusterError: there is none, or it does not answer.
        """
        configuration = Configuration()
        try:
            load_kube_config(context=CONTEXT, client_configuration=configuration)
            self._connection = ApiClient(configuration)
            self._client = DynamicClient(self._connection)
        except (ConfigException, OSError) as error:
            raise NoClusterError(
                f"no cluster answers at context {CONTEXT}: run `make up` ({error})"
            ) from error

    def close(self) -> None:
        """Close the connections."""
        self._connection.close()

    def get(self, kind: str, name: str, namespace: str | None = None) -> Manifest | None:
        """Return the object, None when there is none."""
        try:
            return dict(self._resource(kind).get(name=name, namespace=namespace).to_dict())
        except NotFoundError:
            return None

    def read(self, kind: str, name: str, namespace: str | None = None) -> Manifest:
        """Return the object.

        Raises:
            LookupError: there is none.
        """
        found = self.get(kind, name, namespace)
        if found is None:
            raise LookupError(f"{kind} {namespace}/{name} does not exist")
        return found

    def list(self, kind: str, namespace: str | None = None, labels: str | None = None) -> list[Manifest]:
        """Return the objects of a kind, of those labels if any are given (``key=value,…``)."""
        found = self._resource(kind).get(namespace=namespace, label_selector=labels)
        return list(found.to_dict()["items"])

    def create(self, manifest: Manifest, namespace: str | None = None) -> None:
        """Create the object."""
        self._resource(manifest["kind"]).create(body=manifest, namespace=namespace)

    def merge(self, kind: str, name: str, namespace: str, change: Manifest) -> None:
        """Change an object by a JSON merge patch."""
        self._resource(kind).patch(
            body=change, name=name, namespace=namespace, content_type="application/merge-patch+json"
        )

    def delete(self, kind: str, name: str, namespace: str | None = None) -> None:
        """Delete the object; what it owns goes after it. It may be gone already."""
        body = {"propagationPolicy": "Background"}
        try:
            self._resource(kind).delete(name=name, namespace=namespace, body=body)
        except NotFoundError:
            return

    def watch(
        self, kind: str, namespace: str, version: str | None, seconds: int
    ) -> Iterator[tuple[str, Manifest]]:
        """Yield (ADDED, MODIFIED or DELETED; the object) for so many seconds.

        Args:
            kind: what to watch.
            namespace: where.
            version: go on after this resourceVersion; None begins with an ADDED for everything there is.
            seconds: when the API server ends the watch.
        """
        resource = self._resource(kind)
        for event in resource.watch(namespace=namespace, resource_version=version, timeout=seconds):
            yield event["type"], event["raw_object"]

    def _resource(self, kind: str) -> Any:
        return self._client.resources.get(api_version=_API_VERSIONS.get(kind, "v1"), kind=kind)
