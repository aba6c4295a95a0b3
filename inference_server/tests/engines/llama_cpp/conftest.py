"""Engines with a model so small that rounding never changes which token is the likeliest."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from codemodel_server.engines.llama_cpp.engine import LlamaCppEngine
from models.sample_model.build import build
from models.sample_model.weights import Shape

CONTEXT = 512
PARALLEL = 4


@pytest.fixture(scope="session")
def small_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model of two layers."""
    path = tmp_path_factory.mktemp("small") / "small.gguf"
    build(path, Shape(layers=2))
    return path


@pytest.fixture(scope="module")
def engine(small_model: Path) -> Iterator[LlamaCppEngine]:
    """Four sequences of 512 tokens."""
    loaded = LlamaCppEngine(small_model, CONTEXT, PARALLEL, 1)
    loaded.load()
    yield loaded
    loaded.close()
