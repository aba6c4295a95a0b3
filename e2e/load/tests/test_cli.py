"""The command as people run it: a process of its own against a local server."""

import asyncio
import csv
import signal
import sys
from asyncio.subprocess import PIPE
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
import yaml

from e2e.load import cli
from e2e.load.output import COLUMNS
from e2e.load.results import Results, ResultsError, read
from e2e.load.scenario import Scenario
from e2e.load.tests.server import Server, answers

ROOT = Path(__file__).resolve().parents[3]
Act = Callable[[Server, asyncio.subprocess.Process], Awaitable[None]]


async def wait(server: Server, process: asyncio.subprocess.Process) -> None:
    """Leave it alone."""


def command(scenario: Scenario, folder: Path, *options: str, act: Act = wait) -> tuple[int, str, str]:
    """Run a scenario with the command; return its status and what it printed."""
    file = folder / "mine.yaml"
    file.write_text(yaml.safe_dump(scenario.model_dump(mode="json")), encoding="utf-8")

    async def run() -> tuple[int, str, str]:
        async with Server(answers(first=0.01)).running() as server:
            words = ["run", str(file), "--target", server.url, "--output", str(folder), *options]
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "e2e.load", *words, stdout=PIPE, stderr=PIPE, cwd=ROOT
            )
            await act(server, process)
            out, error = await process.communicate()
            assert process.returncode is not None
            return process.returncode, out.decode(), error.decode()

    return asyncio.run(run())


CLOSED = {"name": "closed", "arrivals": {"kind": "closed", "clients": 2}, "requests": 12}
ENDLESS = {"name": "endless", "arrivals": {"kind": "constant", "rate": 20}, "seconds": 900}


def test_a_run_writes_json_and_csv_and_sums_up(
    make_scenario: Callable[..., Scenario], tmp_path: Path
) -> None:
    status, out, error = command(make_scenario(CLOSED), tmp_path, "--seed", "3")
    results = read(tmp_path / "test.json")
    assert status == (0 if results.valid else 1), error
    assert (results.scenario, results.profile, results.seed, results.finished) == ("test", "full", 3, True)
    assert results.command[:2] == ["codemodel-load", "run"]
    assert len(results.requests) == 12
    with (tmp_path / "test.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ["phase", *COLUMNS]
    for row, request in zip(rows, results.requests, strict=True):
        assert row["phase"] == "closed"
        assert float(row["ended"]) == request.ended
        assert float(row["latency"]) == request.latency
        assert row["error"] == ""
    assert "closed" in out
    assert "100.0%" in out


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_writes_what_there_is(
    make_scenario: Callable[..., Scenario], tmp_path: Path, ending: signal.Signals
) -> None:
    async def stop(server: Server, process: asyncio.subprocess.Process) -> None:
        await server.count(8)
        process.send_signal(ending)

    status, out, error = command(make_scenario(ENDLESS), tmp_path, act=stop)
    assert status == 130
    results = read(tmp_path / "test.json")
    assert not results.finished
    assert len(results.requests) >= 6
    assert "stopped before its end" in out
    assert "Traceback" not in error


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["run", "soak", "--target", "http://10.0.0.1:8080"], "--allow-remote"),
        (["run", "soak", "nonsense"], "no scenario nonsense"),
        (["run", "soak", "--target", "http://127.0.0.1:9"], "nothing answers"),
        (["run", "soak", "--api-key-file", "/nowhere"], "cannot be read"),
        (["run", "soak", "--api-key-file", "/dev/null"], "is empty"),
        (["run", "soak", "--output", "/dev/null/here"], "give another one, --output"),
    ],
)
def test_a_wrong_command_line_says_what_to_do(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    words: list[str],
    message: str,
) -> None:
    monkeypatch.chdir(tmp_path)  # where the default folder for results is made
    assert cli.main(words) == 2
    assert message in capsys.readouterr().err


def test_the_scenarios_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["list"]) == 0
    listed = capsys.readouterr().out
    assert "benchmark_results.json" in listed
    assert "full: light (2 clients, 20 requests)" in listed


@pytest.mark.parametrize(
    ("text", "message"), [("{}", "is not a results file"), ("[", "is not a results file")]
)
def test_a_file_that_is_no_results_file_is_told(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "x.json").write_text(text, encoding="utf-8")
    with pytest.raises(ResultsError, match=message):
        read(tmp_path / "x.json")
    with pytest.raises(ResultsError, match="cannot be read"):
        read(tmp_path / "none.json")


def test_the_schema_is_of_this_version() -> None:
    assert Results.model_json_schema()["properties"]["schema"]["const"] == "codemodel-load/1"


def test_report_is_a_subcommand(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert cli.main(["report", str(tmp_path / "none")]) == 2
    assert "codemodel-load report:" in capsys.readouterr().err
