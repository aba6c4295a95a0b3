"""What the operator needs from a cluster. Implemented by kube.py, and in memory by the tests."""

from typing import Any, Protocol

Manifest = dict[str, Any]

FIELD_MANAGER = "codemodel-operator"


def claimed(live: Manifest) -> bool:
    """Tell whether we hold fields of the object otherwise than by server-side apply."""
    return any(overwritten(entry) for entry in live["metadata"].get("managedFields") or [])


def overwritten(entry: Manifest) -> bool:
    """Tell whether this entry of managedFields comes from `Cluster.overwrite`."""
    return (entry.get("manager"), entry.get("operation")) == (FIELD_MANAGER, "Update")


class Cluster(Protocol):
    """Reads and writes objects. Each call may raise any OperatorError, see errors.py."""

    async def get(self, kind: str, namespace: str, name: str) -> Manifest | None:
        """Return the object, None when there is none."""

    async def list_pods(self, namespace: str, labels: dict[str, str]) -> list[Manifest]:
        """Return the pods that have all these labels."""

    async def read_log(self, namespace: str, pod: str, container: str, lines: int) -> str:
        """Return the last lines that a container wrote."""

    async def apply(self, manifest: Manifest) -> Manifest:
        """Create the object or make it match by server-side apply; return what is stored."""

    async def overwrite(self, manifest: Manifest) -> None:
        """Make it match with its lists overwritten as a whole; this claims the fields beside what is applied."""

    async def disclaim(self, live: Manifest) -> None:
        """Give up what `overwrite` claimed: a later apply could not remove these fields otherwise."""

    async def delete(self, live: Manifest) -> None:
        """Delete exactly this object, not a later one of the same name. It may be gone already."""

    async def write_status(self, namespace: str, name: str, uid: str, status: Manifest) -> None:
        """Replace the status of a CodeModel. It may be gone already."""

    async def list_events(self, namespace: str, uid: str) -> list[Manifest]:
        """Return the Kubernetes Events about the object with this uid."""

    async def create_event(self, event: Manifest) -> None:
        """Create a Kubernetes Event."""
