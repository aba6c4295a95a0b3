"""The API server as the tests use it: objects in and out as plain data."""

import ssl
from pathlib import Path
from typing import Any

import httpx

Manifest = dict[str, Any]

_PATHS = {
    "ClusterRole": ("rbac.authorization.k8s.io/v1", "clusterroles"),
    "ClusterRoleBinding": ("rbac.authorization.k8s.io/v1", "clusterrolebindings"),
    "CodeModel": ("codemodel.dev/v1alpha1", "codemodels"),
    "CustomResourceDefinition": ("apiextensions.k8s.io/v1", "customresourcedefinitions"),
    "Deployment": ("apps/v1", "deployments"),
    "Event": ("v1", "events"),
    "HorizontalPodAutoscaler": ("autoscaling/v2", "horizontalpodautoscalers"),
    "Namespace": ("v1", "namespaces"),
    "Node": ("v1", "nodes"),
    "NetworkPolicy": ("networking.k8s.io/v1", "networkpolicies"),
    "PersistentVolumeClaim": ("v1", "persistentvolumeclaims"),
    "Pod": ("v1", "pods"),
    "PodDisruptionBudget": ("policy/v1", "poddisruptionbudgets"),
    "Service": ("v1", "services"),
    "ServiceAccount": ("v1", "serviceaccounts"),
    "StorageClass": ("storage.k8s.io/v1", "storageclasses"),
}
MERGE = "application/merge-patch+json"
_TIMEOUT_SECONDS = 30


class Api:
    """An administrator's access to the API server. Every call raises httpx.HTTPStatusError on an error status."""

    def __init__(self, url: str, token: str, authority: Path) -> None:
        self._http = httpx.Client(
            base_url=url,
            headers={"Authorization": f"Bearer {token}"},
            verify=ssl.create_default_context(cafile=authority),
            timeout=_TIMEOUT_SECONDS,
            trust_env=False,
        )

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def raw(self, method: str, path: str, **options: Any) -> httpx.Response:
        """Return the answer to any request, whatever its status."""
        return self._http.request(method, path, **options)

    def get(self, kind: str, name: str, namespace: str | None = None) -> Manifest | None:
        """Return the object, None when there is none."""
        answer = self.raw("GET", path_of(kind, namespace, name))
        return None if answer.status_code == httpx.codes.NOT_FOUND else _body(answer)

    def list(self, kind: str, namespace: str | None = None) -> list[Manifest]:
        """Return the objects of a kind."""
        return list(_body(self.raw("GET", path_of(kind, namespace)))["items"])

    def create(self, manifest: Manifest) -> Manifest:
        """Create the object and return it."""
        path = path_of(manifest["kind"], manifest["metadata"].get("namespace"))
        return _body(self.raw("POST", path, json=manifest))

    def replace(self, manifest: Manifest) -> Manifest:
        """Put the object in the place of the one of its name."""
        metadata = manifest["metadata"]
        path = path_of(manifest["kind"], metadata.get("namespace"), metadata["name"])
        return _body(self.raw("PUT", path, json=manifest))

    def merge(
        self, kind: str, namespace: str | None, name: str, change: Manifest, part: str = ""
    ) -> Manifest:
        """Change an object by a JSON merge patch.

        Args:
            kind: of the object.
            namespace: of the object.
            name: of the object.
            change: the patch.
            part: "/status" for that subresource.
        """
        path = path_of(kind, namespace, name) + part
        return _body(self.raw("PATCH", path, json=change, headers={"Content-Type": MERGE}))

    def delete(self, kind: str, name: str, namespace: str | None = None) -> None:
        """Delete the object; what it owns goes after it. It may be gone already."""
        options = {"propagationPolicy": "Background"}
        answer = self.raw("DELETE", path_of(kind, namespace, name), json=options)
        if answer.status_code != httpx.codes.NOT_FOUND:
            answer.raise_for_status()

    def token(self, namespace: str, account: str) -> str:
        """Return a token of a service account."""
        request = {
            "apiVersion": "authentication.k8s.io/v1",
            "kind": "TokenRequest",
            "spec": {"audiences": []},
        }
        path = f"{path_of('ServiceAccount', namespace, account)}/token"
        return str(_body(self.raw("POST", path, json=request))["status"]["token"])


def path_of(kind: str, namespace: str | None = None, name: str = "") -> str:
    """Return the path of an object, or of all objects of a kind without a name."""
    version, plural = _PATHS[kind]
    root = f"/apis/{version}" if "/" in version else f"/api/{version}"
    place = f"{root}/namespaces/{namespace}" if namespace else root
    return "/".join(filter(None, (place, plural, name)))


def _body(answer: httpx.Response) -> Manifest:
    if answer.is_error:
        raise httpx.HTTPStatusError(answer.text, request=answer.request, response=answer)
    body: Manifest = answer.json()
    return body
