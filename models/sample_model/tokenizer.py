"""The sample model's tokenizer: GPT-2's byte-level BPE, with merges learnt from corpus.txt and kept in merges.txt.

The merges are kept, so that the model does not change with the library that learns them; `python -m
models.sample_model.tokenizer` learns them again.
"""

import json
from pathlib import Path

_FOLDER = Path(__file__).parent
CORPUS = _FOLDER / "corpus.txt"
MERGES = _FOLDER / "merges.txt"

END_OF_TEXT = "<|endoftext|>"
TURN_START = "<|im_start|>"
TURN_END = "<|im_end|>"
FIM_PREFIX = "<|fim_prefix|>"
FIM_SUFFIX = "<|fim_suffix|>"
FIM_MIDDLE = "<|fim_middle|>"
FIM_PAD = "<|fim_pad|>"
SPECIAL = (END_OF_TEXT, TURN_START, TURN_END, FIM_PREFIX, FIM_SUFFIX, FIM_MIDDLE, FIM_PAD)
VOCABULARY_SIZE = 1280
MERGE_COUNT = VOCABULARY_SIZE - 256 - len(SPECIAL)


def byte_letters() -> dict[int, str]:
    """The letter for each byte in GPT-2's alphabet: printable ones stand for themselves, the others begin at U+0100."""
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [byte for byte in range(256) if byte not in printable]
    return {byte: chr(byte) for byte in printable} | {
        byte: chr(0x100 + index) for index, byte in enumerate(others)
    }


def read_merges() -> list[str]:
    """The merges in order of their rank, each two pieces with a space between."""
    return MERGES.read_text(encoding="utf-8").splitlines()


def vocabulary(merges: list[str]) -> list[str]:
    """All tokens in order of their ids: the special ones, the bytes in order of their letters, the merged ones."""
    return [*SPECIAL, *sorted(byte_letters().values()), *(merge.replace(" ", "") for merge in merges)]


def learn_merges() -> list[str]:
    """Learns the merges from the corpus."""
    # Only developers have this library: making the model needs no more than what it taught.
    from tokenizers import Tokenizer, models, pre_tokenizers, trainers  # noqa: PLC0415

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)
    trainer = trainers.BpeTrainer(
        vocab_size=256 + MERGE_COUNT,
        show_progress=False,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
    )
    tokenizer.train_from_iterator([CORPUS.read_text(encoding="utf-8")], trainer)
    return [" ".join(pair) for pair in json.loads(tokenizer.to_str())["model"]["merges"]]


if __name__ == "__main__":
    MERGES.write_text("\n".join(learn_merges()) + "\n", encoding="utf-8")
