"""What the cluster has that belongs to no CodeModel: its nodes and storage classes, looked at now and then."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from .cluster import Cluster, Manifest
from .errors import OperatorError, RefusedError
from .nodes import Node, read_node

logger = logging.getLogger(__name__)

T = TypeVar("T")

_KEPT_SECONDS = 60.0
"""A look does for all CodeModels that ask within this time."""

# The API server fills in the class of a claim by either.
_DEFAULT_CLASS = (
    "storageclass.kubernetes.io/is-default-class",
    "storageclass.beta.kubernetes.io/is-default-class",
)


class Inventory:
    """Looks only when somebody asks, once at a time, however many ask.

    Args:
        cluster: where to look. It may refuse: the rights are on the whole cluster.
        clock: gives seconds that never go back.
    """

    def __init__(self, cluster: Cluster, clock: Callable[[], float]) -> None:
        self._nodes = _Look(cluster, "Node", read_node, clock)
        self._classes = _Look(cluster, "StorageClass", _is_default, clock)

    async def nodes(self) -> Sequence[Node] | None:
        """Return the nodes that replicas can be put on, None when they cannot be read."""
        found = await self._nodes.result()
        return None if isinstance(found, OperatorError) else [node for node in found if node is not None]

    async def has_default_class(self) -> bool | None:
        """Tell whether claims that name no StorageClass get one; None when the operator may not know.

        Raises:
            OperatorError: it could not be read just now. What follows from the answer stays, so no guess will do.
        """
        found = await self._classes.result()
        if isinstance(found, RefusedError):
            return None
        if isinstance(found, OperatorError):
            raise found
        return any(found)


class _Look(Generic[T]):
    """A look at all objects of a kind, kept for a while; one that failed for the moment is not kept."""

    def __init__(
        self, cluster: Cluster, kind: str, keep: Callable[[Manifest], T], clock: Callable[[], float]
    ) -> None:
        self._cluster = cluster
        self._kind = kind
        self._keep = keep
        self._clock = clock
        self._until = 0.0
        self._reading: asyncio.Task[list[T] | OperatorError] | None = None

    async def result(self) -> list[T] | OperatorError:
        """Return what was kept of each object, or why they could not be read."""
        now = self._clock()
        if self._reading is None or self._until <= now:
            self._until = now + _KEPT_SECONDS
            self._reading = asyncio.create_task(self._read())
        # Whoever is cancelled while it waits leaves the look to the others.
        return await asyncio.shield(self._reading)

    async def _read(self) -> list[T] | OperatorError:
        try:
            return await self._cluster.survey(self._kind, self._keep)
        except OperatorError as error:
            logger.info("Not read", extra={"event": {"kind": self._kind, "reason": str(error)}})
            if not isinstance(error, RefusedError):
                self._reading = None
            return error


def _is_default(manifest: Manifest) -> bool:
    annotations = manifest["metadata"].get("annotations") or {}
    return any(annotations.get(key) == "true" for key in _DEFAULT_CLASS)
