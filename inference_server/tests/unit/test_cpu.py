"""Threads from the CPU quota of both versions of cgroups."""

from pathlib import Path

import pytest

from codemodel_server.cpu import cpu_quota, thread_count


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


@pytest.mark.parametrize(
    ("limit", "quota"), [("150000 100000", 1.5), ("max 100000", None), ("nonsense", None)]
)
def test_version_2(tmp_path: Path, limit: str, quota: float | None) -> None:
    write(tmp_path / "cpu.max", f"{limit}\n")
    assert cpu_quota(tmp_path, tmp_path / "none") == quota


@pytest.mark.parametrize(("limit", "quota"), [("50000", 0.5), ("-1", None)])
def test_version_1(tmp_path: Path, limit: str, quota: float | None) -> None:
    write(tmp_path / "cpu" / "cpu.cfs_quota_us", limit)
    write(tmp_path / "cpu" / "cpu.cfs_period_us", "100000")
    assert cpu_quota(tmp_path, tmp_path / "none") == quota


def test_the_strictest_group_above_counts(tmp_path: Path) -> None:
    write(tmp_path / "own", "0::/pods/pod-1/container\n")
    write(tmp_path / "pods" / "cpu.max", "800000 100000")
    write(tmp_path / "pods" / "pod-1" / "cpu.max", "200000 100000")
    write(tmp_path / "pods" / "pod-1" / "container" / "cpu.max", "max 100000")
    assert cpu_quota(tmp_path, tmp_path / "own") == 2


@pytest.mark.parametrize(
    ("asked", "quota", "cpus", "threads"),
    [
        (0, None, 8, 8),
        (0, 4.0, 8, 4),
        (0, 2.7, 8, 2),
        (0, 1.5, 8, 1),
        (0, 0.5, 8, 1),
        (0, 16.0, 8, 8),
        (3, 1.0, 8, 3),
    ],
)
def test_threads_are_whole_cpus_and_at_least_one(
    asked: int, quota: float | None, cpus: int, threads: int
) -> None:
    assert thread_count(asked, quota, cpus) == threads
