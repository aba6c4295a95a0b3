"""The sample model: always the same bytes, and a model that llama.cpp and its tokenizer's library agree on."""

import hashlib
from pathlib import Path

import pytest
from tokenizers import Tokenizer, decoders, models, pre_tokenizers

from codemodel_server.cancellation import Cancellation
from codemodel_server.engines.events import Finish, Text
from codemodel_server.engines.llama_cpp.engine import LlamaCppEngine
from codemodel_server.engines.llama_cpp.native.model import NativeModel
from codemodel_server.engines.request import GenerationRequest, Instruction, Sampling
from models.sample_model.build import SHA256, build
from models.sample_model.tokenizer import SPECIAL, learn_merges, read_merges, vocabulary


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("models") / "sub" / "sample-coder.gguf"
    assert build(path) == SHA256
    return path


def test_the_file_is_the_recorded_one(path: Path) -> None:
    assert hashlib.sha256(path.read_bytes()).hexdigest() == SHA256
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_the_merges_are_those_of_the_corpus() -> None:
    assert learn_merges() == read_merges()


def test_llama_cpp_tokenizes_as_the_library_does(path: Path) -> None:
    merges = [(left, right) for left, right in (merge.split(" ") for merge in read_merges())]
    tokens = vocabulary(read_merges())
    library = Tokenizer(models.BPE({token: index for index, token in enumerate(tokens)}, merges))
    library.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)
    library.decoder = decoders.ByteLevel()
    native = NativeModel(path)
    for text in (
        "def add(a, b):\n    return a + b\n",
        "  \n\n\t x  =  1   ",
        "it's they'll we've I'd",
        "žluťoučký kůň 名前 🐍👩‍💻 שלום",
        "x" * 300,
        "1234567890 3.14159",
        "\x00\x01\x7f\u00a0\u2028",
        "a\r\nb",
    ):
        ids = native.tokenize(text, add_special=True, parse_special=False)
        assert ids == library.encode(text).ids
        assert b"".join(native.piece(token) for token in ids).decode() == text
    native.close()


def test_special_tokens_are_known_by_name(path: Path) -> None:
    native = NativeModel(path)
    for index, name in enumerate(SPECIAL):
        assert native.tokenize(name, add_special=False, parse_special=True) == [index]
        assert len(native.tokenize(name, add_special=False, parse_special=False)) > 1
    native.close()


def test_it_answers_with_printable_text_of_the_length_asked_for(path: Path) -> None:
    engine = LlamaCppEngine(path, 2048, 1, 1)
    engine.load()
    request = GenerationRequest(Instruction("def add(a, b):"), 64, Sampling(temperature=0))
    *texts, finish = engine.prepare(request).run(Cancellation())
    engine.close()
    assert isinstance(finish, Finish)
    assert (finish.reason, finish.completion_tokens) == ("length", 64)
    answer = "".join(event.text for event in texts if isinstance(event, Text))
    assert answer.replace("\n", "").isprintable()
    assert len(set(answer.split())) > 5
