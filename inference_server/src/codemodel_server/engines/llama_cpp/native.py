"""The one place that calls llama.cpp: pointers stay in here, Python values come out.

A NativeModel may be used by many threads (its vocabulary does not change); a NativeContext by one at a time.
"""

import ctypes
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import llama_cpp

from codemodel_server.engines.base import GenerationRequest
from codemodel_server.errors import EngineFailedError, LoadError

# Values of enum ggml_log_level in ggml.h.
_LOG_ERROR = 4
_LOG_CONTINUES = 5
_DRAW_A_SEED = 0xFFFFFFFF  # LLAMA_DEFAULT_SEED in llama.h
_PIECE_BYTES = 256
# Only the first line is shown, and it may be blank.
_MOST_ERRORS = 16
# Below this temperature the likeliest token is certain, and dividing by it would leave the range of 32-bit floats.
_LOWEST_TEMPERATURE = 1e-6


class _ErrorLog:
    """Keeps the last errors that llama.cpp logged while loading: its functions only return NULL."""

    def __init__(self) -> None:
        self._lines: list[str] = []
        self._level = 0
        self.callback = llama_cpp.llama_log_callback(self._log)

    def _log(self, level: int, text: bytes, _user_data: object) -> None:
        self._level = self._level if level == _LOG_CONTINUES else level
        if self._level == _LOG_ERROR and len(self._lines) < _MOST_ERRORS:
            self._lines.append(text.decode("utf-8", "replace").strip())

    def take(self) -> str:
        """The first error since the last call: later ones are its consequences."""
        lines = [line for line in self._lines if line]
        self._lines.clear()
        return lines[0] if lines else "llama.cpp gave no reason"


_errors = _ErrorLog()


class NativeModel:
    """A model file's weights and vocabulary.

    Args:
        path: a GGUF file; it is mapped into memory, and must not change while it is used.

    Raises:
        LoadError: llama.cpp cannot load it.
    """

    def __init__(self, path: Path) -> None:
        llama_cpp.llama_log_set(_errors.callback, ctypes.c_void_p(0))
        llama_cpp.llama_backend_init()
        _errors.take()
        parameters = llama_cpp.llama_model_default_params()
        parameters.n_gpu_layers = 0
        self.pointer = llama_cpp.llama_model_load_from_file(str(path).encode(), parameters)
        if not self.pointer:
            raise LoadError(
                f"llama.cpp cannot load {path}: {_errors.take()}: check that the file is complete"
            )
        self._vocab = llama_cpp.llama_model_get_vocab(self.pointer)
        self.trained_context: int = llama_cpp.llama_model_n_ctx_train(self.pointer)
        template = llama_cpp.llama_model_chat_template(self.pointer, None)
        self.chat_template: str | None = template.decode("utf-8", "replace") if template else None

    def tokenize(self, text: str, *, add_special: bool, parse_special: bool) -> list[int]:
        """Token ids of `text`.

        Args:
            text: what to tokenize.
            add_special: put the beginning-of-text token in front if the model wants one.
            parse_special: understand the names of control tokens in `text`.
        """
        data = text.encode()
        room = len(data) + 8
        while True:
            tokens = (llama_cpp.llama_token * room)()
            count = llama_cpp.llama_tokenize(
                self._vocab, data, len(data), tokens, room, add_special, parse_special
            )
            if count >= 0:
                return list(tokens[:count])
            room = -count

    def piece(self, token: int) -> bytes:
        """The bytes of a token; none for a control token. They may end inside a character."""
        room = _PIECE_BYTES
        while True:
            buffer = ctypes.create_string_buffer(room)
            count = llama_cpp.llama_token_to_piece(self._vocab, token, buffer, room, 0, False)
            if count >= 0:
                return buffer.raw[:count]
            room = -count

    def ends_generation(self, token: int) -> bool:
        """Whether the model says with this token that its answer is complete."""
        return bool(llama_cpp.llama_vocab_is_eog(self._vocab, token))

    def token_text(self, token: int) -> str:
        """The name of a control token, as chat templates write it; empty for none (-1)."""
        return llama_cpp.llama_vocab_get_text(self._vocab, token).decode() if token >= 0 else ""

    @property
    def beginning_of_text(self) -> int:
        """The token that texts begin with, or -1."""
        return int(llama_cpp.llama_vocab_bos(self._vocab))

    @property
    def end_of_text(self) -> int:
        """The token that texts end with, or -1."""
        return int(llama_cpp.llama_vocab_eos(self._vocab))

    @property
    def adds_beginning_of_text(self) -> bool:
        """Whether texts of this model begin with that token."""
        return bool(llama_cpp.llama_vocab_get_add_bos(self._vocab))

    @property
    def fill_in_tokens(self) -> tuple[int, int, int]:
        """The tokens before the prefix, the suffix and the middle; -1 for those that the model lacks."""
        return (
            int(llama_cpp.llama_vocab_fim_pre(self._vocab)),
            int(llama_cpp.llama_vocab_fim_suf(self._vocab)),
            int(llama_cpp.llama_vocab_fim_mid(self._vocab)),
        )

    def close(self) -> None:
        """Frees the model; no context of it may be used any more."""
        llama_cpp.llama_model_free(self.pointer)


@dataclass(frozen=True, slots=True)
class ContextSize:
    """Tokens and threads of a context.

    Attributes:
        tokens: prompt and answer together.
        batch: most tokens of one decode call.
        threads: computing threads.
    """

    tokens: int
    batch: int
    threads: int


class NativeContext:
    """The attention memory of one sequence of tokens.

    Raises:
        LoadError: there is not enough memory for it.
    """

    def __init__(self, model: NativeModel, size: ContextSize) -> None:
        parameters = llama_cpp.llama_context_default_params()
        parameters.n_ctx = size.tokens
        parameters.n_batch = parameters.n_ubatch = size.batch
        parameters.n_seq_max = 1
        # Decodes of several tokens (prompts) take their thread count from n_threads_batch.
        parameters.n_threads = parameters.n_threads_batch = size.threads
        _errors.take()
        self._pointer = llama_cpp.llama_init_from_model(model.pointer, parameters)
        if not self._pointer:
            message = f"llama.cpp cannot make a context of {size.tokens} tokens: {_errors.take()}: "
            raise LoadError(message + "lower the context length or give more memory")

    def clear(self) -> None:
        """Forgets all tokens."""
        llama_cpp.llama_memory_clear(llama_cpp.llama_get_memory(self._pointer), True)

    def decode(self, tokens: Sequence[int]) -> None:
        """Appends tokens, at most a batch of them.

        Raises:
            EngineFailedError: llama.cpp could not; `clear` makes the context usable again.
        """
        data = (llama_cpp.llama_token * len(tokens))(*tokens)
        status = llama_cpp.llama_decode(self._pointer, llama_cpp.llama_batch_get_one(data, len(tokens)))
        if status:
            raise EngineFailedError(f"llama.cpp could not decode (status {status}): {_errors.take()}")

    def sample(self, sampler: "Sampler") -> int:
        """Chooses the token that follows those decoded last."""
        return int(llama_cpp.llama_sampler_sample(sampler.pointer, self._pointer, -1))

    def close(self) -> None:
        """Frees the memory."""
        llama_cpp.llama_free(self._pointer)


class Sampler:
    """Chooses tokens as a request asks; to be closed."""

    def __init__(self, request: GenerationRequest) -> None:
        self.pointer: Any = llama_cpp.llama_sampler_chain_init(llama_cpp.llama_sampler_chain_default_params())
        for link in _links(request):
            llama_cpp.llama_sampler_chain_add(self.pointer, link)

    def close(self) -> None:
        """Frees the sampler."""
        llama_cpp.llama_sampler_free(self.pointer)


def _links(request: GenerationRequest) -> list[Any]:
    if request.temperature < _LOWEST_TEMPERATURE:
        return [llama_cpp.llama_sampler_init_greedy()]
    seed = _DRAW_A_SEED if request.seed is None else request.seed
    return [
        llama_cpp.llama_sampler_init_top_k(request.top_k),
        llama_cpp.llama_sampler_init_top_p(request.top_p, 1),
        llama_cpp.llama_sampler_init_temp(request.temperature),
        llama_cpp.llama_sampler_init_dist(seed),
    ]
