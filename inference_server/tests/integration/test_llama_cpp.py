"""The llama.cpp engine in this process: what it makes of files and settings."""

from pathlib import Path

import pytest

from codemodel_server.engines.base import Finish, GenerationRequest
from codemodel_server.engines.llama_cpp.engine import LlamaCppEngine
from codemodel_server.errors import InvalidRequestError, LoadError


def test_a_missing_model_is_named(tmp_path: Path) -> None:
    with pytest.raises(LoadError, match=r"none.gguf: No such file or directory: check MODEL_PATH"):
        LlamaCppEngine(tmp_path / "none.gguf", 512, 1).load()


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"<html>not found</html>", "is not a GGUF model file"),
        (b"GGUF", "check that the file is complete"),
        (b"GGUF\xff\xff\xff\xff" + bytes(100), "check that the file is complete"),
        (b"GGUF\x03\x00\x00\x00" + b"\xff" * 100, "check that the file is complete"),
    ],
)
def test_what_is_no_model_is_named(tmp_path: Path, content: bytes, says: str) -> None:
    path = tmp_path / "broken.gguf"
    path.write_bytes(content)
    with pytest.raises(LoadError, match=f"{path}.*{says}"):
        LlamaCppEngine(path, 512, 1).load()


def test_the_context_is_no_longer_than_what_the_model_was_made_for(sample_model: Path) -> None:
    engine = LlamaCppEngine(sample_model, 100_000, 1)
    engine.load()
    assert engine.context_length == 4096


def test_the_shortest_context_works_to_its_last_token(sample_model: Path) -> None:
    engine = LlamaCppEngine(sample_model, 16, 1)
    engine.load()
    # With the 14 tokens of the chat template around it.
    *_, finish = engine.prepare(GenerationRequest("x", max_tokens=9)).run(lambda: False)
    assert finish == Finish("length", prompt_tokens=15, completion_tokens=1)
    with pytest.raises(InvalidRequestError, match="16 tokens"):
        engine.prepare(GenerationRequest("x1", max_tokens=9))
