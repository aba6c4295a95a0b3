import json
from pathlib import Path

import pytest

from inference_server.benchmarks import results
from inference_server.benchmarks.figures import Goal, line

LINE = line(
    Goal("4 streams", "tokens/s", "llama-server", 1.0, at_least=True), {"4 streams": 61.25}, {"4 streams": 49}
)
ALONE = line(Goal("step", "ms", None, None), {"step": 1e-7}, None)


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(results, "RESULTS", tmp_path / "bench" / "server.json")


def test_measuring_a_case_again_replaces_that_case_only() -> None:
    results.keep("a", [{"run": 1}], [LINE], threads=2)
    results.keep("b", [{"run": 1}], [], threads=2)
    results.keep("b", [{"run": 1}, {"run": 2}], [ALONE], threads=2)
    found = results.read()
    assert [len(found[case]["runs"]) for case in ("a", "b")] == [1, 2]
    assert found["a"]["lines"] == [json.loads(LINE)]


def test_the_table_has_a_row_a_line() -> None:
    results.keep("a", [], [LINE, ALONE], threads=2)
    assert list(results.table(results.read()))[2:] == [
        "| 4 streams, llama-server | tokens/s | 61.25 | 49 | 1.25 | 1 | yes |",
        "| step | ms | 1e-07 |  |  |  |  |",
    ]
