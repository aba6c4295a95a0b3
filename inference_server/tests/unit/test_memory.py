"""The memory limit, as cgroups of both versions write it, and the memory used, as the kernel writes it."""

import os
from pathlib import Path

import pytest

from codemodel_server.memory import memory_limit, memory_used


@pytest.mark.parametrize(
    ("files", "limit"),
    [
        ({}, None),
        ({"memory.max": "max\n"}, None),
        ({"memory.max": "1073741824\n"}, 1 << 30),
        ({"memory.max": "4096\n", "pods/one/memory.max": "2048\n"}, 2048),
        ({"memory/memory.limit_in_bytes": "9223372036854771712\n"}, None),
        (
            {
                "memory/memory.limit_in_bytes": "9223372036854771712\n",
                "memory/pods/one/memory.limit_in_bytes": "77\n",
            },
            77,
        ),
        ({"memory.max": "nonsense"}, None),
    ],
)
def test_the_strictest_limit_counts(tmp_path: Path, files: dict[str, str], limit: int | None) -> None:
    own = tmp_path / "own"
    own.write_text("3:memory:/pods/one\n0::/pods/one\n")
    root = tmp_path / "root"
    for name, content in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(content)
    assert memory_limit(root, own) == limit


def test_a_machine_without_cgroups_has_no_limit(tmp_path: Path) -> None:
    assert memory_limit(tmp_path / "none", tmp_path / "none") is None


def test_the_memory_used_is_the_resident_pages(tmp_path: Path) -> None:
    statm = tmp_path / "statm"
    statm.write_text("9000 250 120 1 0 400 0\n")
    assert memory_used(statm) == 250 * os.sysconf("SC_PAGE_SIZE")


@pytest.mark.parametrize("content", ["", "9000", "a b"])
def test_a_kernel_that_does_not_say_the_memory_used(tmp_path: Path, content: str) -> None:
    statm = tmp_path / "statm"
    statm.write_text(content)
    assert memory_used(statm) is None
    assert memory_used(tmp_path / "none") is None
