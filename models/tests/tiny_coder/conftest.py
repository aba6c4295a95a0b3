"""The model of the repository, as llama.cpp and as its training framework see it."""

from collections.abc import Iterator

import pytest
from tokenizers import Tokenizer

from codemodel_server.engines.llama_cpp.native.model import NativeModel
from models.tiny_coder import export
from models.tiny_coder.__main__ import MODEL
from models.tiny_coder.network import Shape, Weights
from models.tiny_coder.writing import Write, writing


@pytest.fixture(scope="session")
def kept() -> tuple[Weights, Shape, Tokenizer]:
    return export.read(MODEL)


@pytest.fixture(scope="session")
def native() -> Iterator[NativeModel]:
    model = NativeModel(MODEL)
    yield model
    model.close()


@pytest.fixture(scope="session")
def write() -> Iterator[Write]:
    with writing(MODEL) as write:
        yield write
