"""Makes one child match what is desired, with no needless write."""

import logging
from dataclasses import dataclass

from .api.quantity import parse_quantity
from .cluster import Cluster, Manifest, claimed
from .diff import drifted, entries_differ, marked, same_intent
from .errors import ConflictError, RefusedError, TemporaryError
from .observe import owned_by
from .refusals import explain_refusal

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Problem:
    """Why a child is not as desired, in terms of the CodeModel's conditions."""

    reason: str
    message: str
    passing: bool = False
    """It may go away by itself."""

    error: TemporaryError | None = None
    """Worth trying again soon because of this; else an event or the next regular look will do."""


async def apply_child(
    cluster: Cluster, desired: Manifest, live: Manifest | None, uid: str
) -> Manifest | Problem:
    """Return the child as stored, or the problem that keeps it from being as desired.

    Raises:
        ConflictError: the child changed or appeared meanwhile; look again.
    """
    kind, name = desired["kind"], desired["metadata"]["name"]
    if live is not None and _ends(live, desired, uid):
        return Problem(
            "Replacing", f"{kind} {name} is being deleted; another one follows when it is gone", passing=True
        )
    if live is not None and not owned_by(live, uid):
        return Problem(
            "NameConflict",
            f"{kind} {name} exists and does not belong to this CodeModel; "
            f"delete it, or create the CodeModel under another name",
        )
    desired = _keep_grown(desired, live)
    try:
        if live is not None and same_intent(desired, live) and not drifted(desired, live):
            if _switched_off(live) and "replicas" not in desired["spec"]:
                await cluster.overwrite(_one_replica(live))
            return live
        stored = await _write(cluster, desired, live)
    except RefusedError as error:
        return Problem(*explain_refusal(f"{kind} {name} was refused: {error}", otherwise="ApplyFailed"))
    except ConflictError:
        raise
    except TemporaryError as error:
        return Problem(
            "ApplyFailed", f"{kind} {name} could not be written: {error}", passing=True, error=error
        )
    logger.info("Applied", extra={"event": {"child": f"{kind}/{name}", "created": live is None}})
    return stored


def _ends(live: Manifest, desired: Manifest, uid: str) -> bool:
    """Tell whether the object is on its way out: itself, or with a former CodeModel of the same name."""
    if live["metadata"].get("deletionTimestamp"):
        return True
    (ours,) = desired["metadata"]["ownerReferences"]
    return not owned_by(live, uid) and any(
        (ref.get("kind"), ref.get("name")) == (ours["kind"], ours["name"])
        for ref in live["metadata"].get("ownerReferences") or []
    )


async def _write(cluster: Cluster, desired: Manifest, live: Manifest | None) -> Manifest:
    manifest = marked(desired)
    if live is None:
        # Cheaper than an apply, and never a takeover of what somebody made since we looked.
        return await cluster.create(manifest)
    if claimed(live):
        await cluster.disclaim(live)
    # The uid makes the API server refuse (409) when this child was replaced since it was read.
    manifest["metadata"]["uid"] = live["metadata"]["uid"]
    if not entries_differ(desired, live):
        return await cluster.apply(manifest)
    await cluster.overwrite(manifest)
    stored = await cluster.apply(manifest)
    # Should this fail, the next write does it.
    await cluster.disclaim(stored)
    return stored


def _switched_off(live: Manifest) -> bool:
    """An autoscaler leaves a Deployment alone that somebody scaled to zero; so it would stay there for ever."""
    return bool(live["kind"] == "Deployment" and live["spec"].get("replicas") == 0)


def _one_replica(live: Manifest) -> Manifest:
    """Return what wakes the autoscaler; it decides the rest."""
    identity = {key: live["metadata"][key] for key in ("name", "namespace", "uid")}
    return {
        **{key: live[key] for key in ("apiVersion", "kind")},
        "metadata": identity,
        "spec": {"replicas": 1},
    }


def _keep_grown(desired: Manifest, live: Manifest | None) -> Manifest:
    """A claim never shrinks: keep the size of one that somebody enlarged, the API server insists on it."""
    if live is None or desired["kind"] != "PersistentVolumeClaim":
        return desired
    has = live["spec"]["resources"]["requests"]["storage"]
    wants = desired["spec"]["resources"]["requests"]["storage"]
    if parse_quantity(has) <= parse_quantity(wants):
        return desired
    return {**desired, "spec": {**desired["spec"], "resources": {"requests": {"storage": has}}}}
