import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from e2e.cluster import settings, steps


@pytest.fixture(autouse=True)
def logs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(settings, "LOGS", tmp_path)
    return tmp_path


def test_a_failing_command_is_reported_with_its_step_its_logs_end_and_advice() -> None:
    with pytest.raises(steps.StepError) as caught, steps.step("Building x", hint="try y") as current:
        current.run("sh", "-c", "echo the cause >&2; exit 3")
    report = caught.value.report()
    assert report.startswith("✗ Building x: sh ended with status 3")
    assert "│ the cause" in report
    assert report.endswith("try: try y")


def test_a_missing_command_is_an_error_of_the_step() -> None:
    with pytest.raises(steps.StepError, match="no-such-command"), steps.step("Building x") as current:
        current.run("no-such-command")


def test_a_failed_step_never_prints_that_it_is_done(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(steps.StepError), steps.step("Building x") as current:
        current.run("false")
    assert "✓" not in capsys.readouterr().out


def test_a_long_step_says_so_while_it_runs(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(steps, "FIRST_PROGRESS_SECONDS", 0.01)
    told = threading.Event()
    say = steps.say

    def noticing(line: str) -> None:
        say(line)
        told.set()

    monkeypatch.setattr(steps, "say", noticing)
    with steps.step("Waiting"):
        assert told.wait(10)
    assert "… Waiting (" in capsys.readouterr().out


def test_interrupting_ends_the_commands_under_way(tmp_path: Path) -> None:
    """Ctrl-C during a build must not leave the compiler running."""
    script = (
        "import signal, sys; from pathlib import Path; from e2e.cluster import settings, steps\n"
        # A background job of a shell is born with SIGINT ignored.
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        f"settings.LOGS = Path({str(tmp_path)!r})\n"
        "try:\n"
        "    with steps.step('Sleeping') as s: s.run('sh', '-c', 'echo $$ > \"$0\"; exec sleep 600', sys.argv[1])\n"
        "except KeyboardInterrupt: pass\n"
    )
    fifo = tmp_path / "pid"
    os.mkfifo(fifo)
    root = Path(__file__).parents[3]
    with subprocess.Popen([sys.executable, "-c", script, str(fifo)], cwd=root) as process:
        try:
            pid = int(fifo.read_text())
            process.send_signal(signal.SIGINT)
            assert process.wait(30) == 0
        finally:
            process.kill()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
