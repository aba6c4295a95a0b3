from pathlib import Path

import numpy as np
from gguf import GGUFReader, TokenType

from inference_server.benchmarks.model import FILL_IN, Shape, Vocabulary, read_vocabulary, write

TEXTS = ["<unk>", "<s>", "</s>", "<0x0A>", "▁the", "▁a", "▁", "ing", "é", "▁Word", "x", "y", "z"]
KINDS = [TokenType.UNKNOWN, *[TokenType.CONTROL] * 2, TokenType.BYTE, *[TokenType.NORMAL] * 9]
SMALL = Shape(width=256, layers=1, heads=4, shared_heads=2, feed_forward=256, context=512)


def vocabulary() -> Vocabulary:
    return Vocabulary(TEXTS, [-1.0] * len(TEXTS), [int(kind) for kind in KINDS])


def test_only_whole_readable_text_is_ever_written() -> None:
    assert [TEXTS[index] for index in vocabulary().silent()] == ["<unk>", "<s>", "</s>", "<0x0A>", "é"]


def test_prompts_are_made_of_words_of_one_token() -> None:
    assert vocabulary().words() == ["the"]


def test_the_file_has_tokens_to_fill_in_and_rows_that_say_nothing(tmp_path: Path) -> None:
    write(tmp_path / "model.gguf", SMALL, vocabulary())
    found = read_vocabulary(tmp_path / "model.gguf")
    assert list(found.tokens[-3:]) == list(FILL_IN.values())
    reader = GGUFReader(tmp_path / "model.gguf")
    ids = [reader.fields[f"tokenizer.ggml.fim_{key}_token_id"].contents() for key in FILL_IN]
    assert ids == [10, 11, 12]
    (head,) = [tensor for tensor in reader.tensors if tensor.name == "output.weight"]
    assert np.flatnonzero(~head.data.any(axis=1)).tolist() == vocabulary().silent()
    (keys,) = [tensor for tensor in reader.tensors if tensor.name == "blk.0.attn_k.weight"]
    assert keys.data.shape == (128, 256)
