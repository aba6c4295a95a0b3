"""The memory limit, as cgroups of both versions write it."""

from pathlib import Path

import pytest

from codemodel_server.memory import memory_limit


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
