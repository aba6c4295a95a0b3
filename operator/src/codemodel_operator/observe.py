"""Reads everything about one CodeModel, in two round trips; in one or none if nothing of it can be there yet."""

import asyncio
from dataclasses import dataclass, field

from .api import KIND
from .cluster import Cluster, Manifest
from .resources import ROLES
from .resources.labels import selector
from .workqueue import Key


@dataclass(frozen=True)
class Observed:
    """What exists of a CodeModel at one moment."""

    codemodel: Manifest
    children: dict[str, Manifest] = field(default_factory=dict)
    """Live objects under the names of the children, by role; not all of them need be ours."""

    pods: list[Manifest] = field(default_factory=list)
    new: bool = False
    """Whether it was taken for granted that nothing of it exists."""


async def observe(
    cluster: Cluster, key: Key, *, trust: bool = True, arrived: Manifest | None = None
) -> Observed | None:
    """Return what exists, None when the CodeModel is gone or on its way.

    Args:
        cluster: where to look.
        key: of the CodeModel.
        trust: take it for granted that a CodeModel without a status has nothing yet. Creating it says if that is wrong.
        arrived: the CodeModel as a watch has just brought it; None to read it.
    """
    namespace, name = key
    codemodel = arrived or await cluster.get(KIND, namespace, name)
    if codemodel is None or codemodel["metadata"].get("deletionTimestamp"):
        return None
    if trust and _unseen(codemodel):
        return Observed(codemodel, new=True)
    pods, children = await asyncio.gather(
        cluster.list_pods(namespace, selector(name)),
        asyncio.gather(*(cluster.get(kind, namespace, named(name)) for kind, named in ROLES.values())),
    )
    found = {role: live for role, live in zip(ROLES, children, strict=True) if live is not None}
    return Observed(codemodel, found, pods)


def _unseen(codemodel: Manifest) -> bool:
    """Tell whether no operator has reported on it yet."""
    generation = (codemodel.get("status") or {}).get("observedGeneration")
    # An older schema may have stored anything.
    return not isinstance(generation, int) or generation < 1


def owned_by(live: Manifest, uid: str) -> bool:
    """Tell whether the object belongs to the CodeModel with this uid."""
    return any(ref.get("uid") == uid for ref in live["metadata"].get("ownerReferences") or [])
