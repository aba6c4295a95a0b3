"""The CodeModel that a watch brought last, for a look that comes at once: it need not be read again."""

from .cluster import Manifest
from .workqueue import Key


class Arrivals:
    """Holds one CodeModel at most: the last that came, if it is new, until it is taken or another event comes."""

    def __init__(self) -> None:
        self._last: tuple[Key, Manifest] | None = None

    def came(self, key: Key, codemodel: Manifest, *, added: bool) -> None:
        """Take note of an event of a CodeModel; `added`: it was created, and not only seen for the first time."""
        self._last = (key, codemodel) if added else None

    def take(self, key: Key) -> Manifest | None:
        """Return this CodeModel if it was the last that came, once."""
        if self._last is None or self._last[0] != key:
            return None
        (_, codemodel), self._last = self._last, None
        return codemodel
