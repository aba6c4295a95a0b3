"""kopf's storages of what it handled, which store nothing: this operator looks at what is, not at what changed.

kopf would copy every object of every event several times to compare it with what it stored in annotations: half of the
operator's computing time with a thousand CodeModels, for handlers that it does not have.
"""

from typing import Any

import kopf


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
