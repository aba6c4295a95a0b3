"""Where the time of a step goes in our engine: one step gives each running stream one token."""

import statistics
import threading
import time
from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from codemodel_server.cancellation import Cancellation
from codemodel_server.engines.llama_cpp.engine import LlamaCppEngine
from codemodel_server.engines.llama_cpp.native.binding import llama_cpp
from codemodel_server.engines.llama_cpp.native.sampler import Sampler
from codemodel_server.engines.request import GenerationRequest, Plain, Sampling
from e2e.cluster import settings
from inference_server.benchmarks.figures import Goal, line
from models.sample_model.build import build as build_sample_model

STREAMS = (1, 4, 16)
_CONTEXT = 512
_TOKENS = 48


@dataclass(frozen=True, slots=True)
class Call:
    """When a function ran, in seconds, and for how many tokens."""

    begin: float
    end: float
    tokens: int


@dataclass(frozen=True, slots=True)
class Shares:
    """Medians over steps, in seconds.

    Attributes:
        step: from the end of one decode to the end of the next.
        decode: in llama.cpp's decode, without Python's lock.
        choosing: in choosing the tokens, of all streams together.
    """

    step: float
    decode: float
    choosing: float

    @property
    def rest(self) -> float:
        """What is left: scheduling, handing text out, and waiting for Python's lock."""
        return max(0.0, self.step - self.decode - self.choosing)


def shares(decodes: Sequence[Call], choices: Sequence[Call], streams: int) -> Shares:
    """What steps consist of; those in which a prompt was read, or a stream was missing, do not count.

    Args:
        decodes: one a step, in order.
        choices: of tokens, in order.
        streams: how many ran.

    Raises:
        ValueError: no step counts.
    """
    begins = [choice.begin for choice in choices]
    steps = []
    for before, after in pairwise(decodes):
        if before.tokens == after.tokens == streams:
            inside = choices[bisect_left(begins, before.end) : bisect_left(begins, after.begin)]
            choosing = sum(choice.end - choice.begin for choice in inside)
            steps.append((after.end - before.end, after.end - after.begin, choosing))
    if not steps:
        raise ValueError("no two steps after one another had all streams")
    step, decode, choosing = (statistics.median(column) for column in zip(*steps, strict=True))
    return Shares(step, decode, choosing)


def profile(file: Path, streams: int, tokens: int, threads: int) -> Shares:
    """Lets the engine generate without HTTP, one thread reading each stream as in the server.

    Args:
        file: the model.
        streams: how many answers at once.
        tokens: of each.
        threads: computing threads.
    """
    decodes: list[Call] = []
    choices: list[Call] = []
    engine = LlamaCppEngine(file, _CONTEXT, streams, threads)
    # OpenMP counts the threads of who has computed, until it ends: so the server loads on a thread of its own, too.
    with ThreadPoolExecutor(1) as loading:
        loading.submit(engine.load).result()
    try:
        with (
            _timed(llama_cpp, "llama_decode", decodes, lambda arguments: arguments[1].n_tokens),
            _timed(Sampler, "propose", choices, lambda _: 1),
            _timed(Sampler, "choose", choices, lambda _: 1),
        ):
            readers = [threading.Thread(target=_read, args=(engine, n, tokens)) for n in range(streams)]
            for reader in readers:
                reader.start()
            for reader in readers:
                reader.join()
    finally:
        engine.close()
    return shares(decodes, choices, streams)


def lines(file: Path, threads: int) -> list[str]:
    """Lines of JSON: a step of the large model in its parts, and what Python adds to a token of a tiny one.

    Args:
        file: the large model.
        threads: computing threads.
    """
    tiny = settings.CACHE / "bench" / "sample-coder.gguf"
    build_sample_model(tiny)
    found: list[str] = []
    for streams in STREAMS:
        large = profile(file, streams, _TOKENS, threads)
        found += [
            _line(f"profile, {streams} streams, {part}", "ms/step", getattr(large, part) * 1e3)
            for part in ("step", "decode", "choosing", "rest")
        ]
    for streams in STREAMS:
        small = profile(tiny, streams, _TOKENS, threads)
        each = (small.choosing + small.rest) / streams * 1e6
        found.append(_line(f"profile, {streams} streams of a tiny model, Python", "µs/token", each))
    return found


def _line(name: str, unit: str, value: float) -> str:
    return line(Goal(name, unit, None, None), {name: value}, None)


def _read(engine: LlamaCppEngine, number: int, tokens: int) -> None:
    request = GenerationRequest(
        Plain(f"{number} def"), tokens, Sampling(temperature=0, ignore_eos=True), share_prefix=False
    )
    for _ in engine.prepare(request).run(Cancellation()):
        pass


@contextmanager
def _timed(
    owner: Any, name: str, calls: list[Call], count: Callable[[tuple[Any, ...]], int]
) -> Iterator[None]:
    """Notes every call of a function while the body runs."""
    function = getattr(owner, name)

    def timed(*arguments: Any) -> Any:
        begin = time.perf_counter()
        result = function(*arguments)
        calls.append(Call(begin, time.perf_counter(), count(arguments)))
        return result

    setattr(owner, name, timed)
    try:
        yield
    finally:
        setattr(owner, name, function)
