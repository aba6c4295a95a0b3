from pathlib import Path

import pytest

from e2e.operator_benchmark.__main__ import parse


def test_ours_alone_in_the_cluster_unless_asked_for_more() -> None:
    chosen = parse([])
    assert (chosen.one, chosen.many, chosen.llmkube, chosen.outside) == (100, 1000, None, False)


def test_a_peer_and_a_place() -> None:
    chosen = parse(["--llmkube", "there", "--outside", "--one", "5"])
    assert (chosen.one, chosen.llmkube, chosen.outside) == (5, Path("there"), True)


def test_no_custom_resource_at_all_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parse(["--many", "0"])
    assert "'0' is not a whole number above 0" in capsys.readouterr().err
