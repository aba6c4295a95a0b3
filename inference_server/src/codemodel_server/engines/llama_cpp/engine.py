"""The llama.cpp engine: continuous batching on the CPU, with prefixes shared between requests.

This module imports no more than it takes to begin to read the weights; the rest is imported while llama.cpp reads.
"""

import importlib
import os
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from codemodel_server.engines.llama_cpp.native.model import NativeModel
from codemodel_server.errors import EngineFailedError, LoadError

if TYPE_CHECKING:
    from codemodel_server.engines.base import Activity, ModelFacts
    from codemodel_server.engines.events import Candidate
    from codemodel_server.engines.llama_cpp.loaded import LlamaCppGeneration, LoadedModel
    from codemodel_server.engines.request import GenerationRequest, Message

_MAGIC = b"GGUF"
_RESERVED_FOR_INFILL = 1
# NumPy, Jinja and the scheduler: imported by a thread of its own while llama.cpp reads the weights.
_REST = "codemodel_server.engines.llama_cpp.loaded"


class LlamaCppEngine:
    """Generates with a GGUF model on the CPU.

    Args:
        path: the model file.
        context_length: tokens that prompt and answer may have together; the model's own limit if that is lower.
        parallel: generations that are decoded together.
        threads: computing threads.
        memory_limit: bytes that the process may use; None is without limit.
    """

    name = "llama-cpp"
    reserved = _RESERVED_FOR_INFILL

    def __init__(
        self, path: Path, context_length: int, parallel: int, threads: int, memory_limit: int | None = None
    ) -> None:
        self.context_length = context_length
        self.concurrency = parallel
        self._path = path
        self._threads = threads
        self._memory_limit = memory_limit
        self._model: LoadedModel | None = None

    def load(self) -> None:
        """Maps the model into memory, makes room for all contexts, and starts the scheduler.

        Raises:
            LoadError: the file is missing, not a GGUF, incomplete or of an unknown kind, or memory is short.
        """
        _check_file(self._path)
        # NumPy computes nothing here for which it would need threads, and these wait busily beside those of llama.cpp.
        os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
        threading.Thread(target=importlib.import_module, args=(_REST,), name="import", daemon=True).start()
        model = NativeModel(self._path)
        from codemodel_server.engines.llama_cpp.loaded import LoadedModel  # noqa: PLC0415

        if model.trained_context > 0:
            self.context_length = min(self.context_length, model.trained_context)
        self._model = LoadedModel(
            model,
            context_length=self.context_length,
            parallel=self.concurrency,
            places=self.concurrency + self.reserved,
            threads=self._threads,
            memory_limit=self._memory_limit,
        )

    def prepare(self, request: "GenerationRequest") -> "LlamaCppGeneration":
        """Tokenizes what there is to read; a grammar is read when its turn has come.

        Raises:
            InvalidRequestError: it leaves no room in the context, the model cannot fill in or converse, a token is not
                in the vocabulary, or a JSON schema cannot be followed.
        """
        return self._loaded().prepare(request)

    def tokenize(self, text: str, *, add_special: bool, parse_special: bool) -> "list[Candidate]":
        """The tokens of a text."""
        return self._loaded().tokenize(text, add_special=add_special, parse_special=parse_special)

    def detokenize(self, tokens: Sequence[int]) -> str:
        """The text of tokens.

        Raises:
            InvalidRequestError: one is not in the vocabulary.
        """
        return self._loaded().detokenize(tokens)

    def apply_template(self, messages: "Sequence[Message]", *, answered: bool = True) -> str:
        """The prompt that a conversation becomes.

        Args:
            messages: a last one of the assistant is the beginning of the answer.
            answered: whether the prompt ends where the answer begins.

        Raises:
            InvalidRequestError: the template refuses the conversation.
        """
        return self._loaded().apply_template(messages, answered=answered)

    def facts(self) -> "ModelFacts":
        """What is known about the model."""
        return self._loaded().facts()

    def activity(self) -> "Activity":
        """What it does now; nothing before it is loaded, and after it is closed."""
        from codemodel_server.engines.base import Activity  # noqa: PLC0415

        model = self._model
        return Activity() if model is None else model.activity()

    def close(self) -> None:
        """Ends all generations and frees the model; again is harmless."""
        model, self._model = self._model, None
        if model is not None:
            model.close()

    def _loaded(self) -> "LoadedModel":
        if self._model is None:
            raise EngineFailedError("the model is not loaded")
        return self._model


def _check_file(path: Path) -> None:
    """Finds what can be said more clearly than llama.cpp says it."""
    try:
        with path.open("rb") as file:
            magic = file.read(len(_MAGIC))
    except OSError as error:
        raise LoadError(f"cannot read the model file {path}: {error.strerror}: check MODEL_PATH") from error
    if magic != _MAGIC:
        raise LoadError(f"{path} is not a GGUF model file: download it again, or convert the model to GGUF")
