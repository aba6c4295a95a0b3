"""A model's weights and vocabulary; any number of threads may use them, for they do not change."""

import ctypes
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

from codemodel_server.engines.llama_cpp.native import library
from codemodel_server.engines.llama_cpp.native.binding import llama_cpp
from codemodel_server.errors import InvalidRequestError, LoadError

_PIECE_BYTES = 256
_DESCRIPTION_BYTES = 256
# llama.cpp goes through all parts of a text that it has found for each name of a token in it (tokenizer_st_partition in
# llama-vocab.cpp): so many take it a second, ten times as many minutes.
_MOST_NAMES = 20_000
# CodeLlama's end of an infill. Its old files do not name it as such, and llama.cpp then goes on behind it.
_ENDS_BY_NAME = ("▁<EOT>", "<EOT>")


class NativeModel:
    """A model file's weights and vocabulary.

    Args:
        path: a GGUF file; it is mapped into memory, and must not change while it is used.

    Attributes:
        path: the file.
        pointer: llama.cpp's, for the other modules of this package.
        vocab: the same for its vocabulary.
        vocabulary_size: number of tokens.
        trained_context: tokens that it was trained for.
        chat_template: Jinja, or None.
        keeps_positions: whether a beginning of what it has read can be kept without the rest; recurrent models
            cannot.

    Raises:
        LoadError: llama.cpp cannot load it, or it does not generate text.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        library.start()
        parameters = llama_cpp.llama_model_default_params()
        parameters.n_gpu_layers = 0
        name = str(path).encode()
        try:
            self.pointer = library.made(lambda: llama_cpp.llama_model_load_from_file(name, parameters))
        except library.NothingMadeError as error:
            message = f"llama.cpp cannot load {path}: {error}: check that the file is complete"
            raise LoadError(message) from error
        if llama_cpp.llama_model_has_encoder(self.pointer) or not llama_cpp.llama_model_has_decoder(
            self.pointer
        ):
            raise LoadError(
                f"{path} has an encoder or no decoder: use a model that generates text from left to right"
            )
        self.vocab = llama_cpp.llama_model_get_vocab(self.pointer)
        self.vocabulary_size: int = llama_cpp.llama_vocab_n_tokens(self.vocab)
        self.trained_context: int = llama_cpp.llama_model_n_ctx_train(self.pointer)
        template = llama_cpp.llama_model_chat_template(self.pointer, None)
        self.chat_template: str | None = template.decode("utf-8", "replace") if template else None
        self.keeps_positions = not (
            llama_cpp.llama_model_is_recurrent(self.pointer) or llama_cpp.llama_model_is_hybrid(self.pointer)
        )
        self._pieces: dict[int, bytes] = {}
        self._names: dict[int, bytes] = {}
        self._known_ends: dict[int, bool] = {}

    @property
    def description(self) -> str:
        """Architecture, size and quantization, for example "llama 1B Q4_K - Medium"."""
        buffer = ctypes.create_string_buffer(_DESCRIPTION_BYTES)
        llama_cpp.llama_model_desc(self.pointer, buffer, _DESCRIPTION_BYTES)
        return buffer.value.decode("utf-8", "replace")

    @property
    def parameters(self) -> int:
        """Number of weights."""
        return int(llama_cpp.llama_model_n_params(self.pointer))

    @property
    def size_bytes(self) -> int:
        """Bytes of all weights."""
        return int(llama_cpp.llama_model_size(self.pointer))

    @property
    def shared_heads(self) -> int:
        """Key and value heads of all layers together."""
        return int(
            llama_cpp.llama_model_n_head_kv(self.pointer) * llama_cpp.llama_model_n_layer(self.pointer)
        )

    @property
    def bytes_per_cell(self) -> int:
        """What a token takes in attention memory: a key and a value of 16-bit numbers in each layer and KV head."""
        architecture = self.metadata("general.architecture")
        whole = self.embedding // max(1, llama_cpp.llama_model_n_head(self.pointer))
        sizes = (self.metadata(f"{architecture}.attention.{what}_length") for what in ("key", "value"))
        numbers = sum(int(size) if size.isdigit() else whole for size in sizes)
        return int(2 * numbers * self.shared_heads)

    def copies_cells(self, tokens: int) -> bool:
        """Whether attention memory can be copied into another context, so many tokens at a time, with nothing left out.

        llama.cpp leaves out what the tokens' last one does not look at any more, in models of which layers look at the
        last tokens only.
        """
        window = llama_cpp.llama_model_n_swa(self.pointer)
        return self.keeps_positions and (window == 0 or window >= tokens)

    @property
    def embedding(self) -> int:
        """Width of the embeddings."""
        return int(llama_cpp.llama_model_n_embd(self.pointer))

    def tokenize(self, text: str, *, add_special: bool, parse_special: bool) -> list[int]:
        """Token ids of `text`.

        Args:
            text: what to tokenize.
            add_special: put the beginning-of-text token in front if the model wants one.
            parse_special: understand the names of control tokens in `text`.

        Raises:
            InvalidRequestError: there are too many names of such tokens.
        """
        data = text.encode()
        # No name is shorter than a byte.
        if len(data) > _MOST_NAMES and self._names_in(data, control=parse_special) > _MOST_NAMES:
            message = f"the text names more than {_MOST_NAMES} tokens: send fewer, or send it in parts"
            raise InvalidRequestError(message)
        room = len(data) + 8
        while True:
            tokens = (llama_cpp.llama_token * room)()
            count = llama_cpp.llama_tokenize(
                self.vocab, data, len(data), tokens, room, add_special, parse_special
            )
            if count >= 0:
                return list(tokens[:count])
            room = -count

    def _names_in(self, data: bytes, *, control: bool) -> int:
        """About how many names of such tokens a text has. Those of words, such as spaces, lie within one another."""
        words, controls = self._special
        named = max(map(data.count, words), default=0)
        return named + sum(map(data.count, controls)) if control else named

    @cached_property
    def _special(self) -> tuple[frozenset[bytes], frozenset[bytes]]:
        """The names of tokens that the model's makers have added as words, and of control tokens."""
        kinds = (
            llama_cpp.LLAMA_TOKEN_ATTR_USER_DEFINED,
            llama_cpp.LLAMA_TOKEN_ATTR_CONTROL | llama_cpp.LLAMA_TOKEN_ATTR_UNKNOWN,
        )
        found: tuple[set[bytes], set[bytes]] = (set(), set())
        for token in range(self.vocabulary_size):
            attributes = llama_cpp.llama_vocab_get_attr(self.vocab, token)
            for names, kind in zip(found, kinds, strict=True):
                if attributes & kind:
                    names.add(llama_cpp.llama_vocab_get_text(self.vocab, token))
        words, control = (frozenset(names - {b""}) for names in found)
        return words, control

    def piece(self, token: int) -> bytes:
        """The bytes of a token; none for a control token. They may end inside a character."""
        known = self._pieces.get(token)
        if known is None:
            known = self._pieces[token] = self._read_piece(token, special=False)
        return known

    def name(self, token: int) -> bytes:
        """The bytes of a token, or its name if it is a control token."""
        known = self._names.get(token)
        if known is None:
            known = self._names[token] = self._read_piece(token, special=True)
        return known

    def check(self, tokens: Sequence[int], field: str | None = None) -> None:
        """Whether all tokens are in the vocabulary.

        Raises:
            InvalidRequestError: one is not; it blames `field`.
        """
        wrong = [token for token in tokens if not 0 <= token < self.vocabulary_size]
        if wrong:
            message = f"there is no token {wrong[0]}: this model's are from 0 to {self.vocabulary_size - 1}"
            raise InvalidRequestError(message, field=field)

    def detokenize(self, tokens: Sequence[int]) -> str:
        """The text of tokens, control tokens by their names."""
        return b"".join(self.name(token) for token in tokens).decode("utf-8", "replace")

    def metadata(self, key: str) -> str:
        """A value that the model file gives for a key, as text; empty if it gives none."""
        buffer = ctypes.create_string_buffer(_DESCRIPTION_BYTES)
        length = llama_cpp.llama_model_meta_val_str(self.pointer, key.encode(), buffer, _DESCRIPTION_BYTES)
        return buffer.value.decode("utf-8", "replace") if length >= 0 else ""

    def _read_piece(self, token: int, *, special: bool) -> bytes:
        room = _PIECE_BYTES
        while True:
            buffer = ctypes.create_string_buffer(room)
            count = llama_cpp.llama_token_to_piece(self.vocab, token, buffer, room, 0, special)
            if count >= 0:
                return buffer.raw[:count]
            room = -count

    def is_end(self, token: int) -> bool:
        """Whether the model says by this token that its answer is complete."""
        known = self._known_ends.get(token)
        if known is None:
            ends = llama_cpp.llama_vocab_is_eog(self.vocab, token) or token in self._ends_by_name
            known = self._known_ends[token] = bool(ends)
        return known

    @cached_property
    def ends(self) -> frozenset[int]:
        """All tokens of which `is_end` is true; the first time, the whole vocabulary is looked through."""
        return frozenset(filter(self.is_end, range(self.vocabulary_size)))

    @cached_property
    def _ends_by_name(self) -> frozenset[int]:
        named = (self.tokenize(name, add_special=False, parse_special=True) for name in _ENDS_BY_NAME)
        return frozenset(
            tokens[0]
            for tokens in named
            if len(tokens) == 1 and llama_cpp.llama_vocab_is_control(self.vocab, tokens[0])
        )

    def token_text(self, token: int) -> str:
        """The name of a control token, as chat templates write it; empty for none (-1)."""
        return llama_cpp.llama_vocab_get_text(self.vocab, token).decode() if token >= 0 else ""

    @property
    def beginning_of_text(self) -> int:
        """The token that texts begin with, or -1."""
        return int(llama_cpp.llama_vocab_bos(self.vocab))

    @property
    def end_of_text(self) -> int:
        """The token that texts end with, or -1."""
        return int(llama_cpp.llama_vocab_eos(self.vocab))

    @property
    def adds_beginning_of_text(self) -> bool:
        """Whether texts of this model begin with that token."""
        return bool(llama_cpp.llama_vocab_get_add_bos(self.vocab))

    @property
    def fill_in_tokens(self) -> tuple[int, int, int]:
        """The tokens before the prefix, the suffix and the middle; -1 for those that the model lacks."""
        return (
            int(llama_cpp.llama_vocab_fim_pre(self.vocab)),
            int(llama_cpp.llama_vocab_fim_suf(self.vocab)),
            int(llama_cpp.llama_vocab_fim_mid(self.vocab)),
        )

    @property
    def repository_tokens(self) -> tuple[int, int]:
        """The tokens before a repository's name and before a file's name, for infill; -1 for those it lacks."""
        return (
            int(llama_cpp.llama_vocab_fim_rep(self.vocab)),
            int(llama_cpp.llama_vocab_fim_sep(self.vocab)),
        )

    def close(self) -> None:
        """Frees the model; no context of it may be used any more."""
        llama_cpp.llama_model_free(self.pointer)
