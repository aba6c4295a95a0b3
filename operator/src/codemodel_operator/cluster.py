"""What the operator needs from a cluster. Implemented by kube.py, and in memory by the tests."""

from typing import Any, Protocol

Manifest = dict[str, Any]

FIELD_MANAGER = "codemodel-operator"
CHILD_KINDS = ("PersistentVolumeClaim", "Deployment", "Service", "HorizontalPodAutoscaler")
"""Kinds of the children, what others depend on first."""


class Cluster(Protocol):
    """Reads and writes objects. Each call raises TemporaryError or RefusedError, see errors.py."""

    async def get(self, kind: str, namespace: str, name: str) -> Manifest | None:
        """Return the object, None when there is none."""

    async def list_pods(self, namespace: str, labels: dict[str, str]) -> list[Manifest]:
        """Return the pods that have all these labels."""

    async def apply(self, manifest: Manifest) -> Manifest:
        """Create the object or make it match by server-side apply; return what is stored."""

    async def overwrite(self, manifest: Manifest) -> None:
        """Make it match with its lists overwritten as a whole, then give up ownership of what was written.

        Without the latter, a later apply could no longer remove these fields.
        """

    async def delete(self, live: Manifest) -> None:
        """Delete exactly this object, not a later one of the same name. It may be gone already."""

    async def write_status(self, namespace: str, name: str, uid: str, status: Manifest) -> None:
        """Replace the status of a CodeModel. It may be gone already."""

    async def create_event(self, event: Manifest) -> None:
        """Create a Kubernetes Event."""
