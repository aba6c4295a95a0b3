"""How many threads this process may keep busy.

os.cpu_count() counts the machine's CPUs; in a pod the kernel enforces a quota by cgroup, and more busy threads than it
allows are stopped for a part of every period, all of them at once.
"""

import os
from pathlib import Path

from codemodel_server.cgroup import OWN_GROUPS, ROOT, groups


def cpu_quota(root: Path = ROOT, own_groups: Path = OWN_GROUPS) -> float | None:
    """The strictest CPU quota on this process in CPUs, or None where there is none.

    Args:
        root: where the cgroup file systems are mounted: version 2 itself, or version 1's folder of hierarchies.
        own_groups: lists this process's groups, one `id:controllers:path` a line.
    """
    quotas = [
        quota for folder in groups("cpu", root, own_groups) if (quota := _read_quota(folder)) is not None
    ]
    return min(quotas, default=None)


def thread_count(asked: int, quota: float | None, usable_cpus: int) -> int:
    """Threads to compute with: what was asked, or with 0 the whole CPUs of the quota; at least 1."""
    if asked:
        return asked
    return max(1, min(usable_cpus, int(quota) if quota is not None else usable_cpus))


def usable_cpus() -> int:
    """The CPUs that this process may be scheduled on."""
    return len(os.sched_getaffinity(0))


def _read_quota(folder: Path) -> float | None:
    try:
        if (version2 := folder / "cpu.max").exists():
            limit, period = version2.read_text().split()
            return None if limit == "max" else int(limit) / int(period)
        limit = (folder / "cpu.cfs_quota_us").read_text()
        period = (folder / "cpu.cfs_period_us").read_text()
        return None if int(limit) <= 0 else int(limit) / int(period)
    except (OSError, ValueError, ZeroDivisionError):
        return None
