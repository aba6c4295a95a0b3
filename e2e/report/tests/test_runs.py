"""Reading a results folder: what is wrong is said, and nothing that a file claims is believed."""

import json
from pathlib import Path

import pytest

from e2e.report.errors import ReportError
from e2e.report.runs import read
from e2e.report.tests.making import benchmark, put, write_all


def test_everything_in_a_folder_is_read(tmp_path: Path) -> None:
    found = read(write_all(tmp_path))
    assert list(found.runs) == ["benchmark", "spike", "stress", "soak", "autoscale"]
    assert found.timeline
    assert not any(run.doubts or run.contradictions for run in found.runs.values())


def test_no_folder_and_an_empty_one_say_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(ReportError, match="is no folder: give the one that `codemodel-load run` wrote"):
        read(tmp_path / "nowhere")
    with pytest.raises(ReportError, match=r"has none of benchmark_results\.json, .*: run a scenario first"):
        read(tmp_path)


@pytest.mark.parametrize("file", ["benchmark_results.json", "scaling.json"])
@pytest.mark.parametrize("content", ["", "[]", "{", '{"schema": "another/7"}', "\x00\xff"])
def test_a_bad_file_is_named(tmp_path: Path, file: str, content: str) -> None:
    (tmp_path / file).write_text(content, encoding="latin-1")
    with pytest.raises(ReportError, match=file):
        read(tmp_path)


@pytest.mark.parametrize("number", [2, -1])
def test_a_request_of_no_phase_is_not_counted_anywhere_but_refused(tmp_path: Path, number: int) -> None:
    made = json.loads(benchmark().model_dump_json())
    made["requests"][0]["phase"] = number
    (tmp_path / "benchmark_results.json").write_text(json.dumps(made))
    with pytest.raises(ReportError, match=f"a request belongs to phase {number}, and there are 2"):
        read(tmp_path)


def test_figures_come_from_the_requests_and_a_summary_that_differs_is_told_of(tmp_path: Path) -> None:
    made = json.loads(benchmark().model_dump_json())
    made["phases"][0]["summary"]["latency"]["p99"] = 0.001
    (tmp_path / "benchmark_results.json").write_text(json.dumps(made))
    run = read(tmp_path).runs["benchmark"]
    latency = run.parts[0].summary.latency
    assert latency
    assert latency.p99 == pytest.approx(1.0)
    assert ["the summary of light is not" in contradiction for contradiction in run.contradictions] == [True]


def test_rounded_times_are_no_contradiction(tmp_path: Path) -> None:
    made = json.loads(benchmark().model_dump_json())
    for request in made["requests"]:
        request["ended"] = round(request["ended"] + 0.000004, 5)
    (tmp_path / "benchmark_results.json").write_text(json.dumps(made))
    assert read(tmp_path).runs["benchmark"].contradictions == []


def test_an_unfinished_and_an_invalid_run_are_marked(tmp_path: Path) -> None:
    put(tmp_path / "benchmark_results.json", benchmark(finished=False, problems=("sent late", "too busy")))
    run = read(tmp_path).runs["benchmark"]
    assert [part.label for part in run.parts] == ["light (unfinished)", "heavy (invalid, unfinished)"]
    assert run.doubts == [
        "benchmark: the run is unfinished",
        "benchmark, heavy: invalid: sent late; too busy",
    ]
