"""What watches tell of the objects of CodeModels: most of it the operator knows, and looks at nothing for it."""

from collections.abc import Callable, Iterable, Mapping

from .cluster import Manifest
from .fingerprint import fingerprint
from .workqueue import Key, Timer, WorkQueue

_DELAY = 0.1
"""Seconds. Changes come in bursts, most of them caused by our own writes: one look for a burst."""

_PRESSED_DELAY = 0.5
_LONGEST_DELAY = 2.0
"""Seconds, while new CodeModels come one after another: these wait for the API server, too."""

_STATUS_SAYS_NOTHING = {"NetworkPolicy", "PodDisruptionBudget"}
_TELLING = ("labels", "annotations", "ownerReferences", "deletionTimestamp", "generation")
"""Of the metadata: the generation stands for the spec."""


class Changes:
    """Asks for a look at a CodeModel when one of its objects is not as the last look left it.

    An event that comes while a look is under way is judged when that has ended, and knows what it did. Nothing
    depends on an event that is lost: the regular look finds out, too.
    """

    def __init__(
        self,
        queue: WorkQueue,
        clock: Callable[[], float],
        call_later: Callable[[float, Callable[[], None]], Timer],
    ) -> None:
        self._queue = queue
        self._clock = clock
        self._call_later = call_later
        self._known: dict[Key, dict[str, str]] = {}  # versions by uid
        self._came: dict[Key, dict[str, str | None]] = {}  # likewise, of those with a timer

    def came(self, key: Key, object_: Manifest, *, deleted: bool) -> None:
        """Take note of an event of an object that belongs to a CodeModel, or is it."""
        if key not in self._came:
            self._came[key] = {}
            self._wait(key, _DELAY, self._clock() + _LONGEST_DELAY)
        # The last one counts.
        self._came[key][object_["metadata"]["uid"]] = None if deleted else version(object_)

    def left(self, key: Key, objects: Iterable[Manifest]) -> None:
        """Take note of how a look has seen or left the objects of a CodeModel; the last of each counts.

        None of them: it is gone, and forgotten.
        """
        self._known.pop(key, None)
        if versions := {object_["metadata"]["uid"]: version(object_) for object_ in objects}:
            self._known[key] = versions

    def _wait(self, key: Key, delay: float, latest: float) -> None:
        self._call_later(delay, lambda: self._judge(key, latest))

    def _judge(self, key: Key, latest: float) -> None:
        if self._queue.busy(key):
            self._wait(key, _DELAY, latest)
        elif self._queue.pressed() and self._clock() < latest:
            self._wait(key, _PRESSED_DELAY, latest)
        elif _differ(self._came.pop(key), self._known.get(key, {})):
            self._queue.add(key)


def _differ(came: Mapping[str, str | None], known: Mapping[str, str]) -> bool:
    return any(version is None or known.get(uid) != version for uid, version in came.items())


def version(object_: Manifest) -> str:
    """Return what differs when a look at the object would see anything new."""
    metadata = object_["metadata"]
    # In a list they lack it.
    if object_.get("kind") in _STATUS_SAYS_NOTHING:
        return fingerprint({part: metadata.get(part) for part in _TELLING})
    return str(metadata["resourceVersion"])
