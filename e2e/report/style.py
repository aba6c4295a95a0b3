"""How every graph looks: one style, colours that everybody can tell apart, files that are the same each time."""

import io
import textwrap
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.typing import RcKeyType

# Masataka Okabe and Kei Ito, "Color Universal Design", 2008: told apart with every kind of colour vision.
BLUE, ORANGE, GREEN, VERMILION = "#0072B2", "#E69F00", "#009E73", "#D55E00"
SKY, PURPLE, BLACK, GREY = "#56B4E9", "#CC79A7", "#000000", "#767676"
COLOURS = (BLUE, ORANGE, GREEN, PURPLE, SKY, VERMILION, BLACK)
DASHES = ("-", "--", "-.", ":")
"""Beside its colour each line has its own dashes, for print without colours."""

HATCH = "///"
"""On bars of runs that are not to be relied on."""

_DPI = 130

_LINE = 110
"""Characters of a line of text that runs from side to side."""

_STYLE: dict[RcKeyType, Any] = {
    "font.family": "DejaVu Sans",  # comes with matplotlib, so that it is the same on every machine
    "font.size": 11,
    "axes.titlesize": 13,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#dddddd",
    "grid.linewidth": 0.7,
    "legend.frameon": False,
    "lines.linewidth": 1.8,
    "hatch.linewidth": 0.8,
    "figure.facecolor": "white",
    "savefig.facecolor": "white",
}


@contextmanager
def styled() -> Iterator[None]:
    """Graphs that are made and saved within have the report's style, whatever the user's matplotlibrc says."""
    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(_STYLE)
        yield


def canvas(rows: int = 1, *, height: float = 4.4, shared: bool = False) -> tuple[Figure, list[Axes]]:
    """Return an empty figure with axes one above another.

    Args:
        rows: how many axes.
        height: of the whole figure, in inches.
        shared: whether they have one x axis.
    """
    figure = Figure(figsize=(9.0, height), dpi=_DPI, layout=ConstrainedLayoutEngine(w_pad=0.12, h_pad=0.12))
    grid = figure.subplots(rows, 1, sharex=shared, squeeze=False)
    return figure, [axes for row in grid for axes in row]


def warn(figure: Figure, warnings: Sequence[str]) -> None:
    """Say above everything else what is wrong with the runs that the figure shows."""
    if warnings:
        lines = [line for warning in warnings for line in textwrap.wrap(warning, _LINE)]
        figure.suptitle("\n".join(lines), x=0.02, ha="left", fontsize=10, color=VERMILION)


def from_zero(axes: Axes, *, room: float = 0.15) -> None:
    """Let the y axis go from zero to above what is drawn by now, by this share of it."""
    highest = float(axes.dataLim.y1)
    axes.set_ylim(0, highest * (1 + room) if highest > 0 else 1)


def save(figure: Figure) -> bytes:
    """Return the figure as a PNG that depends on nothing else: it has no date and no version in it."""
    file = io.BytesIO()
    figure.savefig(file, format="png", metadata={"Software": None})
    return file.getvalue()
