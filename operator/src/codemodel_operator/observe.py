"""Reads everything about one CodeModel, in one round trip."""

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


async def observe(cluster: Cluster, key: Key) -> Observed | None:
    """Return what exists, None when the CodeModel is gone or on its way."""
    namespace, name = key
    codemodel, pods, children = await asyncio.gather(
        cluster.get(KIND, namespace, name),
        cluster.list_pods(namespace, selector(name)),
        asyncio.gather(*(cluster.get(kind, namespace, named(name)) for kind, named in ROLES.values())),
    )
    if codemodel is None or codemodel["metadata"].get("deletionTimestamp"):
        return None
    found = {role: live for role, live in zip(ROLES, children, strict=True) if live is not None}
    return Observed(codemodel, found, pods)


def owned_by(live: Manifest, uid: str) -> bool:
    """Tell whether the object belongs to the CodeModel with this uid."""
    return any(ref.get("uid") == uid for ref in live["metadata"].get("ownerReferences") or [])
