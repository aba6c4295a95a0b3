"""What is known of model files, and what is said of bad ones."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from codemodel_server.engines.llama_cpp.engine import LlamaCppEngine
from codemodel_server.engines.llama_cpp.native.model import NativeModel
from codemodel_server.errors import InvalidRequestError, LoadError
from inference_server.tests.engines.llama_cpp.asking import ask, request
from models.sample_model import tokenizer
from models.sample_model.build import build
from models.sample_model.weights import Shape


def test_a_missing_model_is_named(tmp_path: Path) -> None:
    with pytest.raises(LoadError, match=r"none.gguf: No such file or directory: check MODEL_PATH"):
        LlamaCppEngine(tmp_path / "none.gguf", 512, 1, 1).load()


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
        LlamaCppEngine(path, 512, 1, 1).load()


def test_the_reason_is_llama_cpps_own(tmp_path: Path, small_model: Path) -> None:
    path = tmp_path / "short.gguf"
    path.write_bytes(small_model.read_bytes()[:-1])
    with pytest.raises(LoadError, match=r"tensor '.*' data is not within the file bounds"):
        LlamaCppEngine(path, 512, 1, 1).load()


def test_the_context_is_no_longer_than_what_the_model_was_made_for(small_model: Path) -> None:
    engine = LlamaCppEngine(small_model, 100_000, 1, 1)
    engine.load()
    assert engine.context_length == 4096
    engine.close()


def test_the_shortest_context_works_to_its_last_token(small_model: Path) -> None:
    engine = LlamaCppEngine(small_model, 16, 1, 1)
    engine.load()
    end = ask(engine, request("x " * 7, 9)).end
    assert (end.reason, end.prompt_tokens + end.completion_tokens) == ("length", 16)
    with pytest.raises(InvalidRequestError, match="16"):
        engine.prepare(request("x " * 16, 9))
    engine.close()


@pytest.mark.parametrize("name", ["▁<EOT>", "<EOT>"])
def test_code_llamas_end_of_infill_ends_although_its_files_do_not_say_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    special = tuple(name if token == tokenizer.FIM_PAD else token for token in tokenizer.SPECIAL)
    monkeypatch.setattr(tokenizer, "SPECIAL", special)
    monkeypatch.setattr(tokenizer, "FIM_PAD", name)
    path = tmp_path / "model.gguf"
    build(path, Shape(layers=1))
    model = NativeModel(path)
    assert model.is_end(special.index(name))
    assert special.index(name) in model.ends
    assert model.piece(special.index(name)) == b""
    model.close()


def test_ends_are_those_of_the_file(small_model: Path) -> None:
    model = NativeModel(small_model)
    ends = {tokenizer.SPECIAL[token] for token in model.ends}
    assert {tokenizer.END_OF_TEXT, tokenizer.TURN_END} <= ends
    assert tokenizer.FIM_PREFIX not in ends
    model.close()


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ({}, "active 300000"),
        ({"OMP_WAIT_POLICY": "passive"}, "passive None"),
        ({"GOMP_SPINCOUNT": "7"}, "None 7"),
    ],
    ids=["nothing said", "a policy", "a number"],
)
def test_threads_wait_busily_unless_the_environment_says_otherwise(given: dict[str, str], found: str) -> None:
    engine = "import codemodel_server.engines.llama_cpp.engine"
    code = f"import os; {engine}; print(*map(os.environ.get, ('OMP_WAIT_POLICY', 'GOMP_SPINCOUNT')))"
    kept = {
        name: value for name, value in os.environ.items() if name not in ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT")
    }
    asked = subprocess.run(
        [sys.executable, "-c", code], env=kept | given, capture_output=True, text=True, check=True, timeout=60
    )
    assert asked.stdout.strip() == found


def test_a_text_of_names_only_is_not_tokenized_for_minutes(small_model: Path) -> None:
    model = NativeModel(small_model)
    name = model.token_text(model.end_of_text)
    assert len(model.tokenize(name * 20_000, add_special=False, parse_special=True)) == 20_000
    with pytest.raises(InvalidRequestError, match="names more than 20000 tokens"):
        model.tokenize(name * 20_001, add_special=False, parse_special=True)
    # As text, they take no longer than others.
    assert len(model.tokenize(name * 20_001, add_special=False, parse_special=False)) > 20_001
    assert model.tokenize("x " * 100_000, add_special=False, parse_special=True)
    model.close()
