"""kopf's memories of what it handled, which keep nothing: this operator looks at what is, not at what changed.

kopf would copy every object of every event several times to compare it with what it stored in annotations: half of the
operator's computing time with a thousand CodeModels, for handlers that it does not have. And it would keep a record of
each object that it watches, for retries, daemons and timers: a tenth of the operator's memory then.
"""

from typing import Any

import kopf

# kopf.run takes memories, but the package does not export their class.
from kopf._core.reactor.inventory import ResourceMemories, ResourceMemory


class NoDiffs(kopf.DiffBaseStorage):
    """Has nothing to compare with."""

    def build(self, **_: Any) -> kopf.BodyEssence:
        """Find nothing essential."""
        return kopf.BodyEssence()

    def fetch(self, **_: Any) -> kopf.BodyEssence | None:
        """Know of no earlier state."""
        return None

    def store(self, **_: Any) -> None:
        """Keep no state."""


class NoProgress(kopf.ProgressStorage):
    """Has nothing under way that would outlive the process."""

    def fetch(self, **_: Any) -> None:
        """Know of no handler."""

    def store(self, **_: Any) -> None:
        """Keep nothing."""

    def purge(self, **_: Any) -> None:
        """Remove nothing."""

    def touch(self, **_: Any) -> None:
        """Mark nothing."""

    def clear(self, *, essence: kopf.BodyEssence) -> kopf.BodyEssence:
        """Leave it as it is."""
        return essence


class NoMemories(ResourceMemories):
    """Knows an object for as long as one of its events is handled."""

    async def recall(self, *arguments: Any, **options: Any) -> ResourceMemory:
        """Begin a memory anew, as kopf does for objects that may never exist."""
        return await super().recall(*arguments, **{**options, "ephemeral": True})
