"""What the operator needs from a cluster. Implemented by kube.py, and in memory by the tests."""

from collections.abc import Callable
from typing import Any, Protocol, TypeVar

Manifest = dict[str, Any]

T = TypeVar("T")

FIELD_MANAGER = "codemodel-operator"


def settled(managed_fields: list[Manifest]) -> list[Manifest]:
    """Return managedFields in which we hold nothing otherwise than by server-side apply.

    A later apply could not remove such fields. What `Cluster.create` left us counts as applied from now on; what
    `Cluster.overwrite` claimed beside that is given up.
    """
    applied = any((e.get("manager"), e.get("operation")) == (FIELD_MANAGER, "Apply") for e in managed_fields)
    result = []
    for entry in managed_fields:
        if not overwritten(entry):
            result.append(entry)
        elif not applied:
            result.append({**entry, "operation": "Apply"})
            applied = True
    return result


def claimed(live: Manifest) -> bool:
    """Tell whether we hold fields of the object otherwise than by server-side apply."""
    return any(overwritten(entry) for entry in live["metadata"].get("managedFields") or [])


def overwritten(entry: Manifest) -> bool:
    """Tell whether this entry of managedFields comes from `Cluster.create` or `Cluster.overwrite`."""
    return (entry.get("manager"), entry.get("operation")) == (FIELD_MANAGER, "Update")


class Cluster(Protocol):
    """Reads and writes objects. Each call may raise any OperatorError, see errors.py."""

    async def get(self, kind: str, namespace: str, name: str) -> Manifest | None:
        """Return the object, None when there is none.

        A CodeModel as it is at this moment; anything else not older than what was read, written or heard of its kind.
        """

    async def list_pods(self, namespace: str, labels: dict[str, str]) -> list[Manifest]:
        """Return the pods that have all these labels; not older, see `get`."""

    async def survey(self, kind: str, keep: Callable[[Manifest], T]) -> list[T]:
        """Return what `keep` makes of each object of a kind that belongs to no namespace.

        They are read in pages: of thousands, few are in memory at once.
        """

    async def read_log(self, namespace: str, pod: str, container: str, lines: int) -> str:
        """Return the last lines that a container wrote."""

    async def create(self, manifest: Manifest) -> Manifest:
        """Create the object and return what is stored.

        Raises:
            ExistsError: there is one of this name. It is never taken over.
        """

    async def apply(self, manifest: Manifest) -> Manifest:
        """Make the object match by server-side apply; return what is stored."""

    async def overwrite(self, manifest: Manifest) -> None:
        """Make it match with its lists overwritten as a whole; this claims the fields beside what is applied."""

    async def disclaim(self, live: Manifest) -> None:
        """Let `settled` say which fields we hold, so that the next apply removes those that are no longer desired."""

    async def delete(self, live: Manifest) -> None:
        """Delete exactly this object, not a later one of the same name. It may be gone already."""

    async def write_status(self, namespace: str, name: str, uid: str, status: Manifest) -> Manifest | None:
        """Replace the status of a CodeModel and return what is stored, None when it is gone already."""

    async def list_events(self, namespace: str, uid: str) -> list[Manifest]:
        """Return the Kubernetes Events about the object with this uid."""

    async def create_event(self, event: Manifest) -> None:
        """Create a Kubernetes Event."""
