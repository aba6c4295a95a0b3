"""What a report consists of, whatever it is written as."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from matplotlib.figure import Figure


@dataclass(frozen=True)
class Text:
    """A paragraph of plain text."""

    text: str


@dataclass(frozen=True)
class Caution:
    """A paragraph that nobody should overlook: what is not to be relied on."""

    text: str


@dataclass(frozen=True)
class Items:
    """A list of plain sentences."""

    items: Sequence[str]


@dataclass(frozen=True)
class Table:
    """A table of plain text, its units in the header."""

    header: Sequence[str]
    rows: Sequence[Sequence[str]]
    doubtful: frozenset[int] = frozenset()
    """Rows that are not to be relied on."""


@dataclass(frozen=True)
class Command:
    """Something to be typed."""

    text: str


@dataclass(frozen=True)
class Picture:
    """A graph in a file of its own."""

    file: str
    alt: str
    """What it shows, for who cannot see it."""

    caption: str
    commands: Sequence[str]
    """What measures it anew."""

    draw: Callable[[], Figure]


Block = Text | Caution | Items | Table | Command | Picture


@dataclass(frozen=True)
class Section:
    """A part with a heading."""

    title: str
    blocks: Sequence[Block]

    @property
    def anchor(self) -> str:
        """What links to it, without the number sign."""
        return self.title.lower().replace(",", "").replace(" ", "-")


@dataclass(frozen=True)
class Report:
    """The whole report."""

    title: str
    sections: Sequence[Section] = field(default_factory=tuple)

    @property
    def pictures(self) -> list[Picture]:
        """Every graph, in order."""
        return [block for section in self.sections for block in section.blocks if isinstance(block, Picture)]
