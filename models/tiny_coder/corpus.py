"""The texts: Python's standard library as it is installed, and which of its files are held out."""

import hashlib
import sysconfig
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

# Tables and broken texts: not how Python is written. The rest of the library is whole.
_LEFT_OUT = (
    "site-packages/",
    "_sysconfigdata",  # of the machine that Python was built on
    "pydoc_data/",
    "encodings/",
    "lib2to3/tests/data/",
    "test/bad",
    "test/test_email/data/",
    "test/encoded_modules/",
    "test/tokenizedata/",
    "idlelib/idle_test/example",
)
_HELD_OUT_PERCENT = 3
_TEST_FOLDERS = ("test/", "tests/", "idle_test/")


@dataclass(frozen=True, slots=True)
class Source:
    """A file of the library.

    Attributes:
        name: its path in the library.
        text: what it says.
        held_out: whether it is kept from training, to measure on it.
    """

    name: str
    text: str
    held_out: bool

    @property
    def is_test(self) -> bool:
        """Whether it is a test of the library and not the library itself."""
        return any(f"/{folder}" in f"/{self.name}" for folder in _TEST_FOLDERS)


def read(folder: Path | None = None) -> list[Source]:
    """Read the library, sorted by name.

    Args:
        folder: of the library; that of this interpreter if None.

    Raises:
        FileNotFoundError: there are no Python files.
    """
    root = folder or Path(sysconfig.get_path("stdlib"))
    sources = list(_sources(root))
    if not sources:
        raise FileNotFoundError(f"no Python files in {root}; name the folder of a standard library")
    return sources


def digest(sources: list[Source]) -> str:
    """Return the SHA-256 of names and texts: whoever has another library trains another model."""
    total = hashlib.sha256()
    for source in sources:
        total.update(f"{source.name}\0{source.text}\0".encode())
    return total.hexdigest()


def _sources(root: Path) -> Iterator[Source]:
    for path in sorted(root.rglob("*.py")):
        name = path.relative_to(root).as_posix()
        if name.startswith(_LEFT_OUT):
            continue
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue  # tests of other encodings
        if text.strip():
            yield Source(name, text, _is_held_out(name))


def _is_held_out(name: str) -> bool:
    """By the name's hash: the same files whatever else is there."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:4], "big") % 100 < _HELD_OUT_PERCENT
