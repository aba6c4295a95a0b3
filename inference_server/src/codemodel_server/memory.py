"""How much memory this process may use before the kernel ends it."""

from pathlib import Path

from codemodel_server.cgroup import OWN_GROUPS, ROOT, groups

# Version 1 writes a number of this size where there is no limit.
_NO_LIMIT = 1 << 60


def memory_limit(root: Path = ROOT, own_groups: Path = OWN_GROUPS) -> int | None:
    """The strictest memory limit on this process in bytes, or None where there is none.

    Args:
        root: where the cgroup file systems are mounted.
        own_groups: lists this process's groups.
    """
    limits = [
        limit for folder in groups("memory", root, own_groups) if (limit := _read_limit(folder)) is not None
    ]
    return min(limits, default=None)


def _read_limit(folder: Path) -> int | None:
    for name in ("memory.max", "memory.limit_in_bytes"):
        try:
            limit = int((folder / name).read_text())
        except (OSError, ValueError):
            # The file is not there, or says "max".
            continue
        return limit if limit < _NO_LIMIT else None
    return None
