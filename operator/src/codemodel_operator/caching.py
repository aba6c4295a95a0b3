"""Where a model's file is kept when its user does not say, decided once."""

from .api.codemodel import Owner
from .api.spec import CacheMode, CodeModelSpec
from .api.status import CacheStatus, CodeModelStatus
from .inventory import Inventory
from .observe import Observed, owned_by


async def choose_cache(
    owner: Owner, spec: CodeModelSpec, observed: Observed, before: CodeModelStatus, inventory: Inventory
) -> CacheStatus | None:
    """Return where the file is kept, None when none is downloaded.

    What is written counts first, a volume that is there next, and then what was decided earlier: a StorageClass that
    the cluster gets later replaces no pods.

    Raises:
        OperatorError: the storage classes could not be read just now; try again.
    """
    if spec.download is None:
        return None
    # Whoever names a class wants the volume.
    written = spec.cache.mode or ("Shared" if spec.cache.storage_class_name else None)
    if written:
        return CacheStatus(mode=written, decided_by="Spec")
    if _has_claim(owner, observed):
        return CacheStatus(mode="Shared", decided_by="Operator")
    if before.cache and before.cache.decided_by == "Operator":
        return before.cache
    return CacheStatus(mode=await _decide(inventory), decided_by="Operator")


def fill_in(spec: CodeModelSpec, cache: CacheStatus | None) -> CodeModelSpec:
    """Return the spec with the mode that was left out."""
    if cache is None:
        return spec
    return spec.model_copy(update={"cache": spec.cache.model_copy(update={"mode": cache.mode})})


def _has_claim(owner: Owner, observed: Observed) -> bool:
    claim = observed.children.get("PersistentVolumeClaim")
    if claim is None or claim["metadata"].get("deletionTimestamp"):
        return False
    return owned_by(claim, owner.uid)


async def _decide(inventory: Inventory) -> CacheMode:
    # An operator that may not know leaves it to the claim, whose status tells when it gets no volume.
    return "Ephemeral" if await inventory.has_default_class() is False else "Shared"
