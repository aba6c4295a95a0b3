"""An engine without a model, for tests and for trying out clients: the same prompt always gives the same text."""

import hashlib
import re
import time
from collections.abc import Callable, Iterator
from itertools import count

from codemodel_server.engines.base import Abandoned, Event, Finish, GenerationRequest, Text, room_for_answer
from codemodel_server.engines.text import TextStream

_WORDS = (
    "def", " add", "(", "a", ",", " b", ")", ":", "\n    ", "return", " a", " +", " b", "\n", "for", " item",
    " in", " items", "if", " not", " None", "value", " =", " 1", "\n\n", "print", '("', "hello", '")', " # ok",
)  # fmt: skip
_TOKEN = re.compile(r"\w+|[^\w\s]|\s+")


class MockGeneration:
    """See `MockEngine`."""

    def __init__(
        self, request: GenerationRequest, prompt_tokens: int, limit: int, pause: Callable[[], None]
    ) -> None:
        self._request = request
        self._prompt_tokens = prompt_tokens
        self._limit = limit
        self._pause = pause

    def run(self, abandoned: Abandoned) -> Iterator[Event]:
        """Generates pseudo-code chosen by prompt and seed."""
        stream = TextStream(self._request.stop)
        generated = 0
        for word in _words(f"{self._request.seed}\0{_read(self._request)}"):
            if generated == self._limit or stream.stopped:
                break
            self._pause()
            if abandoned():
                return
            generated += 1
            if text := stream.feed(word.encode()):
                yield Text(text)
        if text := stream.flush():
            yield Text(text)
        yield Finish("stop" if stream.stopped else "length", self._prompt_tokens, generated)


class MockEngine:
    """Answers with pseudo-code at a chosen speed.

    Args:
        context_length: tokens that prompt and answer may have together; a token is a word, a sign or white space.
        parallel: generations that may run at a time.
        tokens_per_second: speed of each generation; 0 does not wait.
        sleep: waits that many seconds.
    """

    name = "mock"

    def __init__(
        self,
        context_length: int,
        parallel: int,
        tokens_per_second: float,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.context_length = context_length
        self.concurrency = parallel
        self._delay = 1 / tokens_per_second if tokens_per_second else 0.0
        self._sleep = sleep

    def load(self) -> None:
        """Does nothing: there is no model."""

    def prepare(self, request: GenerationRequest) -> MockGeneration:
        """Counts the prompt's tokens.

        Raises:
            InvalidRequestError: the prompt leaves no room in the context.
        """
        tokens = len(_TOKEN.findall(_read(request)))
        room = room_for_answer(tokens, self.context_length, request.main_field)
        return MockGeneration(request, tokens, min(request.max_tokens, room), self._pause)

    def _pause(self) -> None:
        if self._delay:
            self._sleep(self._delay)


def _read(request: GenerationRequest) -> str:
    """All that a request gives to read."""
    return "".join((request.prompt, *(turn.content for turn in request.messages), request.suffix or ""))


def _words(key: str) -> Iterator[str]:
    for index in count():
        digest = hashlib.sha256(f"{index}\0{key}".encode()).digest()
        yield _WORDS[digest[0] % len(_WORDS)]
