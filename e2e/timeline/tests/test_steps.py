import json
from pathlib import Path

import pytest

from e2e.timeline.steps import (
    SCHEMA,
    DownSteps,
    ScaleDown,
    ScaleTimeline,
    ScaleUp,
    TimelineFileError,
    UpSteps,
    read,
    write,
)

TIMELINE = ScaleTimeline(
    name="coder",
    metric=None,
    marks={"load-begins": 1.5},
    series=(),
    scale_ups=(ScaleUp(before=1, after=2, replica="a", steps=UpSteps(ready=3.0)),),
    scale_downs=(ScaleDown(before=2, after=1, at=9.0, removed=("a",), steps=DownSteps(desired_changed=9.0)),),
    durations=(),
)


def test_a_timeline_is_read_back_from_its_file(tmp_path: Path) -> None:
    write(TIMELINE, tmp_path / "scaling.json")
    assert read(tmp_path / "scaling.json") == TIMELINE
    written = json.loads((tmp_path / "scaling.json").read_text())
    assert written["schema"] == SCHEMA
    assert (written["scale_ups"][0]["from"], written["scale_ups"][0]["to"]) == (1, 2)


@pytest.mark.parametrize("text", [None, "{", '{"schema": "codemodel-timeline/2"}'])
def test_a_file_of_another_form_is_refused_by_name(tmp_path: Path, text: str | None) -> None:
    path = tmp_path / "scaling.json"
    if text is not None:
        path.write_text(text)
    with pytest.raises(TimelineFileError, match=r"scaling\.json is no scale timeline"):
        read(path)
