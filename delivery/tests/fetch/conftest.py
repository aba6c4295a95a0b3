"""The fixture of the downloader's tests."""

from pathlib import Path

import pytest

from delivery.tests.fetch.fetcher import Fetcher


@pytest.fixture
def fetcher(tmp_path: Path) -> Fetcher:
    return Fetcher(tmp_path / "models")
