"""What there is once llama.cpp has read the weights: contexts, the scheduler, and how requests are put to it."""

import queue
import time
from collections.abc import Callable, Iterator, Sequence

import numpy as np

from codemodel_server.cancellation import Cancellation
from codemodel_server.engines.base import Activity, ModelFacts, room_for_answer
from codemodel_server.engines.events import Candidate, Event, Finish, Waiting, nothing_to_do
from codemodel_server.engines.llama_cpp.cells import cell_count, cells_for_prefill
from codemodel_server.engines.llama_cpp.grammar import grammar_of_schema
from codemodel_server.engines.llama_cpp.native.batch import Piece
from codemodel_server.engines.llama_cpp.native.context import COPIED_AT_ONCE, ContextSize, NativeContext
from codemodel_server.engines.llama_cpp.native.grammars import Grammars
from codemodel_server.engines.llama_cpp.native.model import NativeModel
from codemodel_server.engines.llama_cpp.native.sampler import Sampler, recent_tokens
from codemodel_server.engines.llama_cpp.pace import Pace
from codemodel_server.engines.llama_cpp.prefill import PART, Prefill
from codemodel_server.engines.llama_cpp.prompt import PromptFormat
from codemodel_server.engines.llama_cpp.scheduler import Scheduler
from codemodel_server.engines.llama_cpp.sequence import Sequence as Running
from codemodel_server.engines.request import GenerationRequest, Message
from codemodel_server.engines.text import TextStream
from codemodel_server.errors import ServingError

# Longer batches are no faster, and their compute buffers are larger.
_BATCH = 512
# Few, for who starts a replica waits for it.
_WARM_UP = 2
# With a model of 1.1 B in 4 bits, a token of so few takes 23 ms on one thread, one of a tile of 64 takes 8.5 ms.
_FEW_TO_TILE = 0.5
_WAITING_SECONDS = 1.0


class LlamaCppGeneration:
    """See `LlamaCppEngine`."""

    def __init__(
        self,
        scheduler: Scheduler,
        request: GenerationRequest,
        prompt: list[int],
        limit: int,
        make_sampler: Callable[[], Sampler],
    ) -> None:
        self.prompt_tokens = len(prompt)
        self._scheduler = scheduler
        self._request = request
        self._prompt = prompt
        self._limit = limit
        self._make_sampler = make_sampler

    def run(self, cancellation: Cancellation, ended: Callable[[], None] = nothing_to_do) -> Iterator[Event]:
        """Lets the scheduler generate, and passes on what it hands out.

        Raises:
            EngineFailedError: llama.cpp failed on this request.
            InvalidRequestError: the grammar is none, or takes too much time or memory.
        """
        running = Running(
            request=self._request,
            prompt=np.array(self._prompt, np.int32),
            limit=self._limit,
            # Not before it is this request's turn: a grammar may take seconds to be read, and more wait than run.
            sampler=self._make_sampler(),
            cancellation=cancellation,
            arrival=time.monotonic(),
            stream=TextStream(self._request.stop),
            ended=ended,
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


class LoadedModel:
    """A model that generates.

    Args:
        model: its weights; they are freed with it.
        context_length: see `LlamaCppEngine`.
        parallel: generations whose whole context there is to be room for.
        places: generations that may run at a time.
        threads: computing threads.
        memory_limit: see `LlamaCppEngine`.

    Raises:
        LoadError: memory is short, or the chat template is not valid.
    """

    def __init__(
        self,
        model: NativeModel,
        *,
        context_length: int,
        parallel: int,
        places: int,
        threads: int,
        memory_limit: int | None,
    ) -> None:
        self._model = model
        self._context_length = context_length
        self._format = PromptFormat(model)
        self._grammars = Grammars(model.path, model.vocabulary_size)
        cells = cell_count(context_length, parallel, model.bytes_per_cell, model.size_bytes, memory_limit)
        copies = model.copies_cells(COPIED_AT_ONCE)
        apart = cells_for_prefill(cells, context_length, parallel) if copies else 0
        # Two contexts compute in as much memory as one would, because each has the smaller batches.
        batch = PART if apart else _BATCH
        size = ContextSize(cells - apart, min(batch, cells - apart), places, threads)
        self._context = NativeContext(model, size)
        self._prefill = Prefill(model, self._context, apart, threads) if apart else None
        pace = Pace(size.batch, warm_up(self._context))
        self._scheduler = Scheduler(model, self._context, places, pace, self._prefill)
        self._scheduler.start()

    def prepare(self, request: GenerationRequest) -> LlamaCppGeneration:
        """Tokenizes what there is to read; the errors are those of `LlamaCppEngine`."""
        prompt = self._format.tokens(request, self._context_length)
        room = room_for_answer(len(prompt), self._context_length, request.main_field)
        limit = room if request.max_tokens is None else min(request.max_tokens, room)
        self._model.check([token for token, _ in request.sampling.logit_bias])
        text, field = request.grammar, "grammar"
        if request.json_schema is not None:
            text, field = grammar_of_schema(request.json_schema), "json_schema"

        def make_sampler() -> Sampler:
            grammar = None if text is None else self._grammars.begin(text, field)
            return Sampler(self._model, request.sampling, grammar, recent_tokens(request.sampling, prompt))

        return LlamaCppGeneration(self._scheduler, request, prompt, limit, make_sampler)

    def tokenize(self, text: str, *, add_special: bool, parse_special: bool) -> list[Candidate]:
        """The tokens of a text."""
        tokens = self._model.tokenize(text, add_special=add_special, parse_special=parse_special)
        return [Candidate(token, self._model.name(token), 0.0) for token in tokens]

    def detokenize(self, tokens: Sequence[int]) -> str:
        """The text of tokens; the errors are those of `LlamaCppEngine`."""
        self._model.check(tokens)
        return self._model.detokenize(tokens)

    def apply_template(self, messages: Sequence[Message], *, answered: bool = True) -> str:
        """The prompt that a conversation becomes; arguments and errors are those of `LlamaCppEngine`."""
        return self._format.conversation(messages, answered=answered)

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
        return self._scheduler.activity()

    def close(self) -> None:
        """Ends all generations and frees the model."""
        self._scheduler.close()
        if self._prefill is not None:
            self._prefill.close()
        self._context.close()
        self._grammars.close()
        self._model.close()


def warm_up(context: NativeContext) -> float:
    """Touches every weight, so that the first request need not; returns seconds per token, rather too high."""
    tokens = np.zeros(min(_WARM_UP, context.size.batch), np.int32)
    started = time.monotonic()
    context.decode([Piece(0, 0, tokens, output=True)])
    seconds = time.monotonic() - started
    context.clear()
    return seconds / len(tokens) * _FEW_TO_TILE
