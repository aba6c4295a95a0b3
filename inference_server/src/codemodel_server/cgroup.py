"""Where the kernel says what this process may use."""

from collections.abc import Iterator
from pathlib import Path, PurePosixPath

ROOT = Path("/sys/fs/cgroup")
OWN_GROUPS = Path("/proc/self/cgroup")


def groups(controller: str, root: Path = ROOT, own_groups: Path = OWN_GROUPS) -> Iterator[Path]:
    """This process's groups and those above them; in a container the group is mounted as the root itself.

    Args:
        controller: "cpu" or "memory"; version 1 has a hierarchy for each.
        root: where the cgroup file systems are mounted: version 2 itself, or version 1's folder of hierarchies.
        own_groups: lists this process's groups, one `id:controllers:path` a line.
    """
    try:
        lines = own_groups.read_text().splitlines()
    except OSError:
        lines = []
    yield root
    yield root / controller
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if controllers and controller not in controllers.split(","):
            continue
        base = root / controllers if controllers else root
        group = PurePosixPath(path.lstrip("/"))
        yield from (base / parent for parent in (group, *group.parents))
