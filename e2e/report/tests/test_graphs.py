"""The graphs can be read: units, nothing cut off, doubts shown."""

from itertools import combinations
from pathlib import Path

import pytest
from matplotlib.figure import Figure
from matplotlib.text import Text

from e2e.load.results import Results
from e2e.report import prices
from e2e.report.making import GRAPHS
from e2e.report.prices import DEFAULT
from e2e.report.runs import FILES, read
from e2e.report.sections.whole import compose
from e2e.report.style import save, styled
from e2e.report.tests.making import autoscale, benchmark, put, soak, spike, stress, write_all

LONG = "requests were sent late: 0.312 s at the 99th percentile, more than 0.05 s; the generator did not get to run"


@pytest.fixture(scope="module")
def doubtful(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Figure]:
    """Every graph of runs that are unfinished, and invalid for a reason of many words."""
    folder = write_all(tmp_path_factory.mktemp("results"))
    for made in (benchmark(), spike(), stress(), soak(), autoscale()):
        put(folder / FILES[made.scenario], wrong(made))
    with styled():
        report = compose(read(folder), prices.read(DEFAULT))
        figures = {picture.file: picture.draw() for picture in report.pictures}
        for figure in figures.values():
            save(figure)  # lays it out
    return figures


def wrong(made: Results) -> Results:
    phases = [phase.model_copy(update={"valid": False, "problems": [LONG]}) for phase in made.phases]
    return made.model_copy(update={"phases": phases, "finished": False})


def texts(figure: Figure) -> list[Text]:
    """What is written, without the ticks' labels: those beyond an axis' ends exist, and are not drawn."""
    axes = [axis for one in figure.axes for axis in (one.xaxis, one.yaxis)]
    ticks = {text for axis in axes for text in (*axis.get_ticklabels(), *axis.get_ticklabels(minor=True))}
    found = [text for text in figure.findobj(Text) if text not in ticks]
    return [text for text in found if text.get_visible() and text.get_text().strip()]


@pytest.mark.parametrize("name", GRAPHS)
def test_what_is_wrong_with_a_run_stands_in_its_graph(doubtful: dict[str, Figure], name: str) -> None:
    told = " ".join(doubtful[name].get_suptitle().split())
    assert "the run is unfinished" in told
    assert LONG in told


@pytest.mark.parametrize("name", GRAPHS)
def test_no_text_is_cut_off_or_lies_on_another(doubtful: dict[str, Figure], name: str) -> None:
    page = doubtful[name].bbox.padded(1)
    boxes = [(text.get_text(), text.get_window_extent()) for text in texts(doubtful[name])]
    for text, box in boxes:
        assert page.contains(box.x0, box.y0), text
        assert page.contains(box.x1, box.y1), text
    for (one, box), (other, second) in combinations(boxes, 2):
        assert not box.padded(-1).overlaps(second.padded(-1)), (one, other)


@pytest.mark.parametrize("name", GRAPHS)
def test_every_axis_says_what_it_counts_and_in_what(doubtful: dict[str, Figure], name: str) -> None:
    for axes in doubtful[name].axes:
        above = axes.get_shared_x_axes().get_siblings(axes)
        lowest = min(above, key=lambda one: one.get_position().y0)
        labels = [axes.get_ylabel(), *([axes.get_xlabel()] if lowest is axes else [])]
        for label, axis in zip(labels, (axes.yaxis, axes.xaxis), strict=False):
            named = [tick.get_text() for tick in axis.get_ticklabels()]
            assert "(" in label or any(letter.isalpha() for letter in "".join(named)), (label, named)


def test_bars_that_are_not_to_be_relied_on_are_hatched(doubtful: dict[str, Figure]) -> None:
    for name in ("latency_comparison.png", "throughput_comparison.png", "success_rate.png"):
        assert all(patch.get_hatch() for axes in doubtful[name].axes for patch in axes.patches)


def test_the_breaking_point_is_marked(tmp_path: Path) -> None:
    put(tmp_path / "stress.json", stress())
    report = compose(read(tmp_path), prices.read(DEFAULT))
    figure = next(picture for picture in report.pictures if picture.file == "stress_curve.png").draw()
    for axes in figure.axes:
        marked = [line for line in axes.lines if str(line.get_label()).startswith("breaking point")]
        assert [list(map(float, line.get_xdata())) for line in marked] == [[16, 16]]  # type: ignore[arg-type]
