"""What a server and its children take of the machine's memory."""

import re
from collections import defaultdict
from pathlib import Path

_PROC = Path("/proc")
_MEBI = 1024


def resident(pid: int, proc: Path = _PROC) -> float:
    """Resident memory of a process and its descendants in MiB; pages shared among processes count in parts (PSS)."""
    return sum(_kibibytes(proc / str(one) / "smaps_rollup", "Pss") for one in tree(pid, proc)) / _MEBI


def peak(pid: int, proc: Path = _PROC) -> float:
    """The most that the largest process among them ever had resident, in MiB."""
    return max(_kibibytes(proc / str(one) / "status", "VmHWM") for one in tree(pid, proc)) / _MEBI


def tree(pid: int, proc: Path = _PROC) -> list[int]:
    """A process and its descendants."""
    children: defaultdict[int, list[int]] = defaultdict(list)
    for file in proc.glob("[0-9]*/stat"):
        try:
            # The name stands in parentheses and may hold anything; the state and the parent come after it.
            parent = int(file.read_text(errors="replace").rpartition(")")[2].split()[1])
        except OSError:  # it has ended meanwhile
            continue
        children[parent].append(int(file.parent.name))
    found = [pid]
    for one in found:
        found.extend(children[one])
    return found


def _kibibytes(file: Path, key: str) -> int:
    try:
        number = re.search(rf"^{key}:\s+(\d+) kB$", file.read_text(), re.MULTILINE)
    except OSError:
        return 0
    return int(number.group(1)) if number else 0
