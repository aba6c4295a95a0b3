"""Makes one child match what is desired, with no needless write."""

import logging
from dataclasses import dataclass

from .api.quantity import parse_quantity
from .cluster import Cluster, Manifest
from .diff import drifted, entries_differ, marked, same_intent
from .errors import ConflictError, RefusedError, TemporaryError
from .observe import owned_by

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Problem:
    """Why a child is not as desired, in terms of the CodeModel's conditions."""

    reason: str
    message: str
    passing: bool = False
    """It may go away by itself."""


async def apply_child(
    cluster: Cluster, desired: Manifest, live: Manifest | None, uid: str
) -> Manifest | Problem:
    """Return the child as stored, or the problem that keeps it from being as desired.

    Raises:
        ConflictError: the child changed meanwhile; look again.
    """
    kind, name = desired["kind"], desired["metadata"]["name"]
    if live is not None and not owned_by(live, uid):
        return Problem(
            "NameConflict",
            f"{kind} {name} exists and does not belong to this CodeModel; "
            f"delete it, or create the CodeModel under another name",
        )
    desired = _keep_grown(desired, live)
    if live is not None and same_intent(desired, live) and not drifted(desired, live):
        return live
    try:
        stored = await _write(cluster, desired, live)
    except RefusedError as error:
        return Problem("ApplyFailed", f"{kind} {name} was refused: {error}")
    except ConflictError:
        raise
    except TemporaryError as error:
        return Problem("ApplyFailed", f"{kind} {name} could not be written: {error}", passing=True)
    logger.info("Applied", extra={"event": {"child": f"{kind}/{name}", "created": live is None}})
    return stored


async def _write(cluster: Cluster, desired: Manifest, live: Manifest | None) -> Manifest:
    manifest = marked(desired)
    if live is None:
        return await cluster.apply(manifest)
    # The uid makes the API server refuse (409) when this child was replaced since it was read.
    manifest["metadata"]["uid"] = live["metadata"]["uid"]
    if not entries_differ(desired, live):
        return await cluster.apply(manifest)
    await cluster.overwrite(manifest)
    return await cluster.apply(manifest)


def _keep_grown(desired: Manifest, live: Manifest | None) -> Manifest:
    """A claim never shrinks: keep the size of one that somebody enlarged, the API server insists on it."""
    if live is None or desired["kind"] != "PersistentVolumeClaim":
        return desired
    has = live["spec"]["resources"]["requests"]["storage"]
    wants = desired["spec"]["resources"]["requests"]["storage"]
    if parse_quantity(has) <= parse_quantity(wants):
        return desired
    return {**desired, "spec": {**desired["spec"], "resources": {"requests": {"storage": has}}}}
