from pathlib import Path

import pytest

from e2e.campaign.__main__ import main
from e2e.campaign.parts import parts
from e2e.campaign.tests.test_parts import keep, results


def test_what_is_finished_is_kept_and_reported(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    part = parts("ci")[0]
    keep(tmp_path, part, results())
    before = (tmp_path / part.results).read_bytes()
    assert main(["--profile", "ci", "--output", str(tmp_path), part.scenario]) == 0
    assert f"{part.scenario}: kept" in capsys.readouterr().out
    assert (tmp_path / part.results).read_bytes() == before
    assert list(tmp_path.glob("*.html"))


def test_a_scenario_that_there_is_not_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["nonsense"])
    assert "no scenario nonsense: choose benchmark, spike" in capsys.readouterr().err
