"""The newest version of each kind that the operator knows of: what it reads has to be as new, and need not be newer."""


class Versions:
    """Versions of stored objects, which the API server counts up over all objects of a kind.

    A read that names one is answered from the API server's memory as soon as that is as new, which takes it half as
    long as asking etcd (https://kubernetes.io/docs/reference/using-api/api-concepts/#resource-versions). So the
    operator sees whatever it has read, written or been told of before. Of anything newer a watch tells it.
    """

    def __init__(self) -> None:
        self._newest: dict[str, int] = {}  # by kind

    def note(self, kind: str, version: object) -> None:
        """Take note of the resourceVersion of an object of this kind."""
        if isinstance(version, str) and version.isdecimal():
            self._newest[kind] = max(self._newest.get(kind, 0), int(version))

    def newest(self, kind: str) -> int:
        """Return the newest one; 0 when none is known, and a read has to ask etcd."""
        return self._newest.get(kind, 0)

    def forget(self, kind: str) -> None:
        """Know of none: a write may have been done without an answer, or the API server knows less than we do."""
        self._newest.pop(kind, None)
