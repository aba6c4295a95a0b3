"""The file in the repository: small, described, and to llama.cpp the same model as to the training framework."""

import csv
import hashlib
import json

import jax.numpy as jnp
import numpy as np
import pytest
import yaml
from tokenizers import Tokenizer

from codemodel_server.engines.llama_cpp.native.batch import Piece
from codemodel_server.engines.llama_cpp.native.context import ContextSize, NativeContext, Outcome
from codemodel_server.engines.llama_cpp.native.model import NativeModel
from codemodel_server.engines.llama_cpp.prompt import PromptFormat
from codemodel_server.engines.request import GenerationRequest, Infill, Message
from models.tiny_coder import card, tokens
from models.tiny_coder.__main__ import FOLDER, MODEL
from models.tiny_coder.asking import Request
from models.tiny_coder.holes import Hole
from models.tiny_coder.network import Shape, Weights, logits

PROMPT = "def add(a, b):\n    return a + b\n\n\nclass Stack:\n    def __init__(self, items=()):\n        self.items = "
TEXTS = (
    PROMPT,
    "  \n\n\t x  =  1   ",
    "it's they'll we've I'd",
    "žluťoučký kůň 名前 🐍👩‍💻 שלום",
    "x" * 300,
    "1234567890 3.14159 0x7f a1b2",
    "\x00\x01\x7f\u00a0\u2028",
    "a\r\nb",
)


def test_it_is_the_one_that_was_measured() -> None:
    figures = json.loads((FOLDER / "figures.json").read_text())
    training = json.loads((FOLDER / "training.json").read_text())
    assert hashlib.sha256(MODEL.read_bytes()).hexdigest() == figures["sha256"]
    assert MODEL.stat().st_size <= 8 * 2**20
    assert (FOLDER / "README.md").read_text() == card.render(figures, training)
    assert figures["corpus sha256"] == training["corpus sha256"]


def test_the_sample_serves_it() -> None:
    documents = yaml.safe_load_all((FOLDER.parent.parent / "samples" / "kind.yaml").read_text())
    (model,) = (found["spec"]["model"] for found in documents if found["kind"] == "CodeModel")
    assert model["source"].endswith(f"/{MODEL.name}")
    assert model["sha256"] == hashlib.sha256(MODEL.read_bytes()).hexdigest()


def test_the_log_is_of_the_whole_training() -> None:
    steps = list(csv.reader((FOLDER / "training.csv").read_text().splitlines()))
    phases = json.loads((FOLDER / "training.json").read_text())["plan"]["phases"]
    lengths = [phase["length"] for phase in phases for _ in range(phase["steps"])]
    assert [(int(step), int(length)) for step, length, *_ in steps] == list(enumerate(lengths, start=1))


def test_llama_cpp_gives_the_logits_of_the_training_framework(
    kept: tuple[Weights, Shape, Tokenizer], native: NativeModel
) -> None:
    weights, shape, tokenizer = kept
    ids = tokenizer.encode(PROMPT).ids
    context = NativeContext(native, ContextSize(256, 256, 1, 1))
    piece = Piece(0, 0, np.array(ids, np.int32), output=True)
    assert context.decode([piece]) is Outcome.DONE
    theirs = context.logits(len(ids) - 1).copy()
    context.close()
    ours = np.asarray(logits(weights, jnp.asarray([ids]), shape))[0, -1]
    # Factors have 8 bits here and there (bfloat16, and Q8_0's activations): 1/256 of logits of about ten.
    assert np.sqrt(np.mean((ours - theirs) ** 2)) < 0.1
    assert np.abs(ours - theirs).max() < 0.4
    # A wrong rotation, head or norm is far outside of that.
    assert np.corrcoef(ours, theirs)[0, 1] > 0.999
    assert ours.std() > 1


@pytest.mark.parametrize("text", TEXTS)
def test_llama_cpp_tokenizes_as_in_training(
    text: str, kept: tuple[Weights, Shape, Tokenizer], native: NativeModel
) -> None:
    ids = native.tokenize(text, add_special=True, parse_special=False)
    assert ids == kept[2].encode(text).ids
    assert b"".join(native.piece(token) for token in ids).decode() == text


def test_special_tokens_are_known_by_name_and_use(native: NativeModel) -> None:
    for index, name in enumerate(tokens.SPECIAL):
        assert native.tokenize(name, add_special=False, parse_special=True) == [index]
    fill_in = (tokens.FIM_PREFIX, tokens.FIM_SUFFIX, tokens.FIM_MIDDLE)
    assert [tokens.SPECIAL[index] for index in native.fill_in_tokens] == list(fill_in)
    assert native.is_end(tokens.SPECIAL.index(tokens.END_OF_TEXT))


def test_the_server_asks_as_in_training(kept: tuple[Weights, Shape, Tokenizer], native: NativeModel) -> None:
    form, tokenizer = PromptFormat(native), kept[2]
    asked = form.conversation([Message("system", "Be brief."), Message("user", "add two numbers")])
    learned = Request("add two numbers", "x").document()
    assert learned.startswith(asked)
    assert learned.removeprefix(asked).startswith("```python\n")
    infill = GenerationRequest(Infill("def add(a, b):\n    ", "\n"), 8)
    learned_hole = Hole("def add(a, b):\n    ", "\n", "").prompt(suffix_first=True)
    assert form.tokens(infill, 1024) == tokenizer.encode(learned_hole).ids


def test_it_says_what_it_is(native: NativeModel) -> None:
    assert native.metadata("general.name") == "tiny-coder"
    assert native.metadata("general.license") == "PSF-2.0"
    assert int(native.metadata("llama.context_length")) >= 1024
