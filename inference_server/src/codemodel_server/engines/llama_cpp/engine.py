"""The llama.cpp engine of this version: one request at a time.

`concurrency` is 1 whatever is asked: requests beyond it wait in the server's queue. `Generation` is the seam at which
a scheduler that decodes several requests together takes this one's place.
"""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from codemodel_server.engines.base import (
    Abandoned,
    Event,
    Finish,
    FinishReason,
    GenerationRequest,
    Text,
    room_for_answer,
)
from codemodel_server.engines.llama_cpp.native import ContextSize, NativeContext, NativeModel, Sampler
from codemodel_server.engines.llama_cpp.prompt import PromptFormat
from codemodel_server.engines.text import TextStream
from codemodel_server.errors import LoadError

# A prompt is decoded in pieces of this many tokens; whether its client has left is looked at between them.
_BATCH = 256
_MAGIC = b"GGUF"


class LlamaCppGeneration:
    """See `LlamaCppEngine`."""

    def __init__(
        self,
        model: NativeModel,
        context: NativeContext,
        request: GenerationRequest,
        prompt: list[int],
        limit: int,
    ) -> None:
        self._model = model
        self._context = context
        self._request = request
        self._prompt = prompt
        self._limit = limit

    def run(self, abandoned: Abandoned) -> Iterator[Event]:
        """Decodes the prompt, then token by token.

        Raises:
            EngineFailedError: llama.cpp reported an error.
        """
        self._context.clear()
        for start in range(0, len(self._prompt), _BATCH):
            if abandoned():
                return
            self._context.decode(self._prompt[start : start + _BATCH])
        stream = TextStream(self._request.stop)
        generated = 0
        ended = False
        token: int | None = None
        with closing(Sampler(self._request)) as sampler:
            while generated < self._limit and not ended:
                if abandoned():
                    return
                if token is not None:
                    self._context.decode([token])
                token = self._context.sample(sampler)
                generated += 1
                ended = self._model.ends_generation(token)
                if text := stream.feed(b"" if ended else self._model.piece(token)):
                    yield Text(text)
                ended = ended or stream.stopped
        if text := stream.flush():
            yield Text(text)
        reason: FinishReason = "stop" if ended or stream.stopped else "length"
        yield Finish(reason, len(self._prompt), generated)


class LlamaCppEngine:
    """Generates with a GGUF model on the CPU.

    Args:
        path: the model file.
        context_length: tokens that prompt and answer may have together; the model's own limit if that is lower.
        threads: computing threads.
    """

    name = "llama-cpp"
    concurrency = 1

    def __init__(self, path: Path, context_length: int, threads: int) -> None:
        self.context_length = context_length
        self._path = path
        self._threads = threads
        self._model: NativeModel
        self._context: NativeContext
        self._format: PromptFormat

    def load(self) -> None:
        """Maps the model into memory and makes room for its context.

        Raises:
            LoadError: the file is missing, not a GGUF, incomplete or of an unknown kind, or memory is short.
        """
        _check_file(self._path)
        self._model = NativeModel(self._path)
        if self._model.trained_context > 0:
            self.context_length = min(self.context_length, self._model.trained_context)
        size = ContextSize(self.context_length, min(_BATCH, self.context_length), self._threads)
        self._context = NativeContext(self._model, size)
        self._format = PromptFormat(self._model)
        # The first decode touches every weight: better now than in the first request.
        self._context.decode(self._format.tokens("x")[: size.batch])

    def prepare(self, request: GenerationRequest) -> LlamaCppGeneration:
        """Tokenizes what there is to read.

        Raises:
            InvalidRequestError: it leaves no room in the context, or the model cannot fill in or converse.
        """
        prompt = self._format.of_request(request)
        room = room_for_answer(len(prompt), self.context_length, request.main_field)
        return LlamaCppGeneration(self._model, self._context, request, prompt, min(request.max_tokens, room))


def _check_file(path: Path) -> None:
    """Finds what can be said more clearly than llama.cpp says it."""
    try:
        with path.open("rb") as file:
            magic = file.read(len(_MAGIC))
    except OSError as error:
        raise LoadError(f"cannot read the model file {path}: {error.strerror}: check MODEL_PATH") from error
    if magic != _MAGIC:
        raise LoadError(f"{path} is not a GGUF model file: download it again, or convert the model to GGUF")
