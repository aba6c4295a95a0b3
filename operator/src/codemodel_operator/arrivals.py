"""CodeModels that a watch has brought because they were created: their first look need not read them again."""

from .cluster import Manifest
from .workqueue import Key

_MOST = 1000
"""CodeModels that are held. One takes about 5 KiB, and at most the 40 KiB that its spec may have."""

_METADATA = ("name", "namespace", "uid", "generation", "resourceVersion", "deletionTimestamp")
"""What a look reads of the metadata; labels, annotations and managed fields would take more than all else."""


class Arrivals:
    """Holds each CodeModel that was created until it is taken, or another event tells of it.

    Of a change that a broken watch has missed, the next list tells. Should the CodeModel be gone by then, Kubernetes
    removes what was made for it.
    """

    def __init__(self) -> None:
        self._held: dict[Key, Manifest] = {}

    def came(self, key: Key, codemodel: Manifest, *, added: bool) -> None:
        """Take note of an event of a CodeModel; `added`: it was created, and not only seen for the first time."""
        self._held.pop(key, None)
        if added and len(self._held) < _MOST:
            metadata = codemodel["metadata"]
            self._held[key] = {
                **codemodel,
                "metadata": {part: metadata[part] for part in _METADATA if part in metadata},
            }

    def take(self, key: Key) -> Manifest | None:
        """Return this CodeModel if nothing has changed it since it came, once."""
        return self._held.pop(key, None)
