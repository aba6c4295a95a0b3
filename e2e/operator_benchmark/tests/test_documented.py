"""docs/operator.md names every option and goal, and its figures are all there or none."""

import re
from collections import Counter
from pathlib import Path

import pytest

from e2e.operator_benchmark import figures, llmkube
from e2e.operator_benchmark.__main__ import parse
from e2e.operator_benchmark.imports import PACKAGES

TEXT = (Path(__file__).resolve().parents[3] / "docs" / "operator.md").read_text(encoding="utf-8")
ONE, MANY = 100, 1000


def section(title: str) -> str:
    return TEXT.partition(f"\n## {title}\n")[2].partition("\n## ")[0]


def test_every_option_is_documented(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parse(["--help"])
    options = set(re.findall(r"^  (--[a-z]+)", capsys.readouterr().out, re.MULTILINE))
    documented = set(re.findall(r"^\| `(--[a-z]+)` \|", TEXT, re.MULTILINE))
    assert options == documented != set()
    assert (parse([]).one, parse([]).many) == (ONE, MANY)
    assert f"one at a time; default {ONE} |" in TEXT
    assert f"at once; default {MANY} |" in TEXT


def test_the_goals_are_those_of_the_code() -> None:
    goals = {
        "one at a time, median": (figures.MEDIAN_RATIO, f"{figures.MEDIAN_SECONDS:g} s"),
        "one at a time, p99": (figures.P99_RATIO, f"{figures.P99_SECONDS:g} s"),
        "many at once": (figures.AT_ONCE_RATIO, f"{figures.AT_ONCE_SECONDS:g} s with 1,000"),
        "peak memory": (figures.PEAK_RATIO, f"{figures.PEAK_MIB:g} MiB"),
        "requests and writes of a custom resource": (figures.REQUESTS_RATIO, ""),
    }
    found = re.findall(r"^\| ([a-z0-9, ]+) \| ([0-9.]+) \| ?(.*?) ?\|$", section("The cases"), re.MULTILINE)
    assert found == [(case, f"{ratio:g}", alone) for case, (ratio, alone) in goals.items()]


def test_what_is_needed_of_the_peer_is_named() -> None:
    assert f"`{llmkube.MANAGER}`" in TEXT
    assert f"`{llmkube.CRDS}`" in TEXT


def test_every_package_has_its_memory() -> None:
    rows = set(re.findall(r"^\| `(\w+)` \| \d+ \|$", section("Where the memory goes"), re.MULTILINE))
    assert rows == {package.partition(".")[0] for package in PACKAGES}


def test_the_figures_are_all_there_or_none() -> None:
    rows = set(re.findall(r"^\| (.*?) \| (?:s|MiB|requests) \|", section("Figures"), re.MULTILINE))
    cases = [
        *figures.one_at_a_time([1.0]),
        *figures.alone_one_at_a_time([1.0]),
        *figures.at_once(1.0, 1.0, Counter({"GET": 1}), 1.0, MANY),
        figures.edits([1.0], MANY),
        *figures.resync(0, 1, MANY),
        figures.alone_at_once(1.0, MANY),
    ]
    missing = {figure.case for figure in cases} - rows
    assert not missing or (not rows and "Not measured yet" in section("Figures"))
