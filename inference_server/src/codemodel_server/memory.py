"""How much memory this process uses, and how much it may use before the kernel ends it."""

import os
from pathlib import Path

from codemodel_server.cgroup import OWN_GROUPS, ROOT, groups

# Version 1 writes a number of this size where there is no limit.
_NO_LIMIT = 1 << 60
_OWN_STATM = Path("/proc/self/statm")


def memory_used(statm: Path = _OWN_STATM) -> int | None:
    """The memory of this process in bytes (its resident set), or None where the kernel does not say.

    Args:
        statm: this process's sizes in pages; the second one is the resident set (man 5 proc_pid_statm).
    """
    try:
        return int(statm.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, LookupError):
        return None


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
