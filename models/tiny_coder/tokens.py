"""The tokenizer: byte-level BPE, learned with the library `tokenizers`, and the words that frame a prompt."""

import json
from collections.abc import Iterable, Sequence
from pathlib import Path

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

END_OF_TEXT = "<|endoftext|>"
USER = "<|user|>"
ASSISTANT = "<|assistant|>"
FIM_PREFIX = "<|fim_prefix|>"
FIM_SUFFIX = "<|fim_suffix|>"
FIM_MIDDLE = "<|fim_middle|>"
SPECIAL = (END_OF_TEXT, USER, ASSISTANT, FIM_PREFIX, FIM_SUFFIX, FIM_MIDDLE)
"""Their ids are their places here."""

PRE_TOKENIZER = "starcoder"
"""llama.cpp's name for it: digits one by one, the rest as GPT-2 does."""

CHAT_TEMPLATE = (
    "{% for message in messages %}"
    f"{{% if message.role == 'user' %}}{USER}{{{{ message.content }}}}"
    f"{{% elif message.role == 'assistant' %}}{ASSISTANT}{{{{ message.content }}}}{END_OF_TEXT}{{% endif %}}"
    f"{{% endfor %}}{{% if add_generation_prompt %}}{ASSISTANT}{{% endif %}}"
)
"""What a system message says is left out: the model has learned none."""


def learn(texts: Iterable[str], size: int) -> Tokenizer:
    """Learn a vocabulary of so many tokens.

    Raises:
        ValueError: the texts have not so many.
    """
    tokenizer = _framed(models.BPE())
    trainer = trainers.BpeTrainer(
        vocab_size=size,
        special_tokens=list(SPECIAL),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    if (found := tokenizer.get_vocab_size()) < size:
        raise ValueError(f"{size} tokens are asked for, and the texts give {found}: take more texts")
    return tokenizer


def load(path: Path) -> Tokenizer:
    """Read a tokenizer that was saved.

    Raises:
        FileNotFoundError: there is none.
    """
    if not path.exists():
        raise FileNotFoundError(f"{path} is not there: `train` makes it")
    return Tokenizer.from_file(str(path))


def of(pieces: Sequence[str], merges: Sequence[str]) -> Tokenizer:
    """Return the tokenizer that has these tokens, in order of their ids, and merges, in order of their ranks."""
    pairs = [(left, right) for left, right in (merge.split(" ") for merge in merges)]
    tokenizer = _framed(models.BPE({piece: index for index, piece in enumerate(pieces)}, pairs))
    tokenizer.add_special_tokens(list(SPECIAL))
    return tokenizer


def pieces_of(tokenizer: Tokenizer) -> tuple[list[str], list[str]]:
    """Return the tokens in order of their ids, and the merges in order of their ranks, as GGUF wants them."""
    said = json.loads(tokenizer.to_str())["model"]
    vocabulary: dict[str, int] = said["vocab"]
    return sorted(vocabulary, key=vocabulary.__getitem__), [" ".join(pair) for pair in said["merges"]]


def _framed(model: models.BPE) -> Tokenizer:
    tokenizer = Tokenizer(model)
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Digits(individual_digits=True),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    return tokenizer
