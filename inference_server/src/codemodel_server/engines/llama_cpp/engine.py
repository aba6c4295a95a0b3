"""The llama.cpp engine: continuous batching on the CPU, with prefixes shared between requests."""

import queue
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from codemodel_server.cancellation import Cancellation
from codemodel_server.engines.base import (
    Activity,
    Candidate,
    Event,
    Finish,
    GenerationRequest,
    Message,
    ModelFacts,
    Waiting,
    room_for_answer,
)
from codemodel_server.engines.llama_cpp.cells import cell_count
from codemodel_server.engines.llama_cpp.grammar import grammar_of_schema
from codemodel_server.engines.llama_cpp.native.context import ContextSize, NativeContext, Piece
from codemodel_server.engines.llama_cpp.native.model import NativeModel
from codemodel_server.engines.llama_cpp.native.sampler import Sampler, recent_tokens
from codemodel_server.engines.llama_cpp.pace import Pace
from codemodel_server.engines.llama_cpp.prompt import PromptFormat
from codemodel_server.engines.llama_cpp.scheduler import Scheduler
from codemodel_server.engines.llama_cpp.sequence import Sequence as Running
from codemodel_server.engines.text import TextStream
from codemodel_server.errors import EngineFailedError, LoadError, ServingError

# Longer batches are no faster, and their compute buffers are larger.
_BATCH = 512
# Few, for who starts a replica waits for it.
_WARM_UP = 8
_MAGIC = b"GGUF"
_WAITING_SECONDS = 1.0
_RESERVED_FOR_INFILL = 1


class LlamaCppGeneration:
    """See `LlamaCppEngine`."""

    def __init__(
        self,
        scheduler: Scheduler,
        request: GenerationRequest,
        prompt: list[int],
        limit: int,
        sampler: Sampler,
    ) -> None:
        self.prompt_tokens = len(prompt)
        self._scheduler = scheduler
        self._request = request
        self._prompt = prompt
        self._limit = limit
        self._sampler = sampler

    def run(self, cancellation: Cancellation) -> Iterator[Event]:
        """Lets the scheduler generate, and passes on what it hands out.

        Raises:
            EngineFailedError: llama.cpp failed on this request.
        """
        running = Running(
            request=self._request,
            prompt=np.array(self._prompt, np.int32),
            limit=self._limit,
            sampler=self._sampler,
            cancellation=cancellation,
            arrival=time.monotonic(),
            stream=TextStream(self._request.stop),
        )
        cancellation.subscribe(lambda: self._cancelled(running))
        self._scheduler.submit(running)
        try:
            yield from _events(running)
        except GeneratorExit:
            cancellation.cancel()
            raise

    def _cancelled(self, running: Running) -> None:
        running.events.put(None)
        self._scheduler.cancel(running)


def _events(running: Running) -> Iterator[Event]:
    while True:
        try:
            event = running.events.get(timeout=_WAITING_SECONDS)
        except queue.Empty:
            yield Waiting()
            continue
        if event is None:
            return
        if isinstance(event, ServingError):
            raise event
        yield event
        if isinstance(event, Finish):
            return


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
        self._model: NativeModel
        self._context: NativeContext
        self._format: PromptFormat
        self._scheduler: Scheduler | None = None

    def load(self) -> None:
        """Maps the model into memory, makes room for all contexts, and starts the scheduler.

        Raises:
            LoadError: the file is missing, not a GGUF, incomplete or of an unknown kind, or memory is short.
        """
        _check_file(self._path)
        self._model = NativeModel(self._path)
        if self._model.trained_context > 0:
            self.context_length = min(self.context_length, self._model.trained_context)
        self._format = PromptFormat(self._model)
        model = self._model
        cells = cell_count(
            self.context_length, self.concurrency, model.bytes_per_cell, model.size_bytes, self._memory_limit
        )
        places = self.concurrency + self.reserved
        size = ContextSize(cells, min(_BATCH, cells), places, self._threads)
        self._context = NativeContext(self._model, size)
        pace = Pace(size.batch, _warm_up(self._context))
        self._scheduler = Scheduler(self._model, self._context, places, pace)
        self._scheduler.start()

    def prepare(self, request: GenerationRequest) -> LlamaCppGeneration:
        """Tokenizes what there is to read, and reads the grammar.

        Raises:
            InvalidRequestError: it leaves no room in the context, the model cannot fill in or converse, a token is not
                in the vocabulary, or the grammar is none.
        """
        if self._scheduler is None:
            raise EngineFailedError("the model is not loaded")
        prompt = self._format.tokens(request, self.context_length)
        room = room_for_answer(len(prompt), self.context_length, request.main_field)
        limit = room if request.max_tokens is None else min(request.max_tokens, room)
        self._model.check([token for token, _ in request.sampling.logit_bias])
        grammar = (
            grammar_of_schema(request.json_schema) if request.json_schema is not None else request.grammar
        )
        sampler = Sampler(self._model, request.sampling, grammar, recent_tokens(request.sampling, prompt))
        return LlamaCppGeneration(self._scheduler, request, prompt, limit, sampler)

    def tokenize(self, text: str, *, add_special: bool, parse_special: bool) -> list[Candidate]:
        """The tokens of a text."""
        tokens = self._model.tokenize(text, add_special=add_special, parse_special=parse_special)
        return [Candidate(token, self._model.name(token), 0.0) for token in tokens]

    def detokenize(self, tokens: Sequence[int]) -> str:
        """The text of tokens.

        Raises:
            InvalidRequestError: one is not in the vocabulary.
        """
        self._model.check(tokens)
        return self._model.detokenize(tokens)

    def apply_template(self, messages: Sequence[Message]) -> str:
        """The prompt that a conversation becomes.

        Raises:
            InvalidRequestError: the template refuses the conversation.
        """
        return self._format.conversation(messages)

    def facts(self) -> ModelFacts:
        """What is known about the model."""
        model = self._model
        return ModelFacts(
            description=model.description,
            vocabulary=model.vocabulary_size,
            trained_context=model.trained_context,
            embedding=model.embedding,
            parameters=model.parameters,
            size_bytes=model.size_bytes,
            chat_template=self._format.template,
            bos=model.token_text(model.beginning_of_text),
            eos=model.token_text(model.end_of_text),
            infill=min(model.fill_in_tokens) >= 0,
        )

    def activity(self) -> Activity:
        """What it does now."""
        return self._scheduler.activity() if self._scheduler is not None else Activity()

    def close(self) -> None:
        """Ends all generations and frees the model."""
        if self._scheduler is not None:
            self._scheduler.close()
            self._context.close()
            self._model.close()
            self._scheduler = None


def _warm_up(context: NativeContext) -> float:
    """Touches every weight, so that the first request need not; returns seconds per token, on the high side."""
    tokens = np.zeros(min(_WARM_UP, context.size.batch), np.int32)
    started = time.monotonic()
    context.decode([Piece(0, 0, tokens, output=True)])
    seconds = time.monotonic() - started
    context.clear()
    return seconds / len(tokens)


def _check_file(path: Path) -> None:
    """Finds what can be said more clearly than llama.cpp says it."""
    try:
        with path.open("rb") as file:
            magic = file.read(len(_MAGIC))
    except OSError as error:
        raise LoadError(f"cannot read the model file {path}: {error.strerror}: check MODEL_PATH") from error
    if magic != _MAGIC:
        raise LoadError(f"{path} is not a GGUF model file: download it again, or convert the model to GGUF")
