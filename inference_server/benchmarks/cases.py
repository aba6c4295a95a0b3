"""What is measured: each case loads a server in one way and returns figures by name. docs/performance.md says why."""

import asyncio
import contextlib
import random
import statistics
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import Any

from e2e.benchmark import percentile
from inference_server.benchmarks import memory
from inference_server.benchmarks.client import Answer, Client, closed_loop
from inference_server.benchmarks.figures import Goal
from inference_server.benchmarks.servers import Running

LLAMA_SERVER = "llama-server"
SMALL_BATCHES = "llama-server -b 64 -ub 64"
LLAMA_CPP_SERVER = "llama_cpp.server"

STREAMS = {1: 4, 4: 4, 8: 4, 16: 4}
"""How many requests each client sends one after another, by the number of clients."""
_STREAMS_SECONDS = 60.0
_LONG_PROMPTS = 2
_INFILLS = 8
_CHAT_TOKENS = 256
_ENDLESS_TOKENS = 1900
_SHARERS = 8


class Prompts:
    """Prompts that nobody has read before, of words that are one token each.

    Args:
        words: what they are made of.
        seed: the same seed gives the same prompts in the same order.
    """

    def __init__(self, words: Sequence[str], seed: int) -> None:
        self._words = words
        self._random = random.Random(seed)  # noqa: S311 (no secret)

    def words(self, count: int) -> str:
        """So many words, as many tokens."""
        return " ".join(self._random.choices(self._words, k=count))


Measure = Callable[[Running, Prompts], Coroutine[Any, Any, dict[str, float]]]


@dataclass(frozen=True, slots=True)
class Case:
    """One way to load a server.

    Attributes:
        name: what `--only` calls it.
        measure: loads a server that has just started, and returns figures by name.
        slots: requests decoded together.
        peers: who is measured beside us.
        runs: how often each is measured unless told otherwise.
        goals: what is to be true of the medians.
    """

    name: str
    measure: Measure
    slots: int
    peers: tuple[str, ...]
    runs: int
    goals: tuple[Goal, ...]


class BenchmarkError(Exception):
    """A server did not do what the case needs, so that its figures would mean nothing."""


async def start(server: Running, _prompts: Prompts) -> dict[str, float]:
    """Nothing but the start, with the file in the page cache."""
    return {"start to ready": server.start_seconds}


async def throughput(server: Running, prompts: Prompts) -> dict[str, float]:
    """Clients in a closed loop, distinct prompts of 60 words, 32 tokens each; then what memory that took."""
    figures = {"memory when ready": memory.resident(server.pid)}
    await _answered(server.client.complete(prompts.words(60), 8))
    for streams, requests in STREAMS.items():
        begin = time.monotonic()
        answers = await closed_loop(
            streams, requests, lambda a: server.client.complete(prompts.words(60), 32, a), _STREAMS_SECONDS
        )
        end = max((answer.ended or begin + _STREAMS_SECONDS) for answer in answers)
        firsts = [answer.first for answer in answers if answer.times]
        figures[f"{streams} streams"] = sum(answer.count(begin, end) for answer in answers) / (end - begin)
        figures[f"{streams} streams, first token"] = statistics.median(firsts)
        figures[f"{streams} streams, cut short"] = sum(
            a.ended is not None and not a.complete for a in answers
        )
    figures["memory after work"] = memory.resident(server.pid)
    figures["memory at its peak"] = memory.peak(server.pid)
    return figures


async def long_prompts(server: Running, prompts: Prompts) -> dict[str, float]:
    """Four streams run while prompts of 1,500 tokens come, the next when the last is answered."""
    async with _background(server.client, prompts, _ENDLESS_TOKENS) as running:
        begin = time.monotonic()
        long = [
            await _answered(server.client.complete(prompts.words(1500), 16)) for _ in range(_LONG_PROMPTS)
        ]
        end = time.monotonic()
        gaps = [gap for answer in running for gap in answer.gaps(begin, end)]
        tokens = sum(answer.count(begin, end) for answer in running)
    return {
        "gap, p50": percentile(gaps, 50),
        "gap, p99": percentile(gaps, 99),
        "gap, longest": max(gaps),
        "streams beside long prompts": tokens / (end - begin),
        "long prompts, first token": statistics.mean(answer.first for answer in long),
    }


async def infill(server: Running, prompts: Prompts) -> dict[str, float]:
    """An editor's infills one after another, beside four chats that go on and on."""
    async with _background(server.client, prompts, _CHAT_TOKENS):
        answers = [
            await _answered(server.client.infill(prompts.words(60), prompts.words(30), 32))
            for _ in range(_INFILLS)
        ]
    wholes = [answer.whole for answer in answers]
    return {
        "infill, p50": percentile(wholes, 50),
        "infill, p99": percentile(wholes, 99),
        "infill, first token": percentile([answer.first for answer in answers], 50),
    }


async def prefix(server: Running, prompts: Prompts) -> dict[str, float]:
    """Eight requests that share 1,000 tokens: one after another and at once after one that had them, and at once
    with 1,000 that nobody had.
    """
    client = server.client
    known, new = prompts.words(1000), prompts.words(1000)

    async def sharer(beginning: str) -> float:
        return (await _answered(client.complete(f"{beginning} {prompts.words(20)}", 8))).first

    await sharer(known)
    one_by_one = [await sharer(known) for _ in range(_SHARERS)]
    warm = await asyncio.gather(*(sharer(known) for _ in range(_SHARERS)))
    cold = await asyncio.gather(*(sharer(new) for _ in range(_SHARERS)))
    return {
        "shared prefix, one after another": statistics.mean(one_by_one),
        "shared prefix, at once, read before": statistics.mean(warm),
        "shared prefix, at once, new": statistics.mean(cold),
        "shared prefix, at once, new, worst": max(cold),
    }


async def _answered(request: Awaitable[Answer]) -> Answer:
    answer = await request
    if not answer.complete:
        raise BenchmarkError(f"an answer was cut short: {answer.problem or 'no reason given'}")
    return answer


@contextlib.asynccontextmanager
async def _background(client: Client, prompts: Prompts, tokens: int) -> AsyncIterator[list[Answer]]:
    """Four streams that each begin anew when they end; in the body all have begun, and all are answers so far."""
    answers: list[Answer] = []

    async def stream() -> None:
        while True:
            answers.append(Answer(time.monotonic()))
            await _answered(client.complete(prompts.words(60), tokens, answers[-1]))

    streams = [asyncio.create_task(stream()) for _ in range(4)]
    try:
        while len([answer for answer in answers if answer.times]) < len(streams):
            await asyncio.sleep(0.05)
            _raise_first(streams)
        yield answers
        _raise_first(streams)
    finally:
        for task in streams:
            task.cancel()
        await asyncio.gather(*streams, return_exceptions=True)


def _raise_first(streams: Sequence[asyncio.Task[None]]) -> None:
    for task in streams:
        if task.done():
            task.result()


def _throughput_goals() -> tuple[Goal, ...]:
    speed = [
        Goal(f"{streams} streams", "tokens/s", LLAMA_SERVER, 1.0, at_least=True, noise=0.03)
        for streams in STREAMS
    ]
    together = [streams for streams in STREAMS if streams >= 4]
    ahead = [Goal(f"{n} streams", "tokens/s", LLAMA_CPP_SERVER, 3.0, at_least=True) for n in together]
    whole = [Goal(f"{n} streams, cut short", "answers", None, 0) for n in STREAMS]
    size = [Goal(figure, "MiB", LLAMA_SERVER, 1.1) for figure in ("memory when ready", "memory after work")]
    return (*speed, *ahead, *whole, *size)


CASES = (
    Case("start", start, 16, (LLAMA_SERVER,), 5, (Goal("start to ready", "s", LLAMA_SERVER, 1.1),)),
    Case("throughput", throughput, 16, (LLAMA_SERVER, LLAMA_CPP_SERVER), 3, _throughput_goals()),
    Case(
        "long-prompts", long_prompts, 8, (LLAMA_SERVER, SMALL_BATCHES), 2,
        (
            Goal("gap, p99", "s", LLAMA_SERVER, 0.06),
            Goal("gap, p99", "s", SMALL_BATCHES, 0.5),
            Goal("streams beside long prompts", "tokens/s", LLAMA_SERVER, 1.3, at_least=True),
            Goal("streams beside long prompts", "tokens/s", SMALL_BATCHES, 1.3, at_least=True),
            Goal("long prompts, first token", "s", LLAMA_SERVER, 1.3),
        ),
    ),
    Case("infill", infill, 8, (LLAMA_SERVER,), 2, (Goal("infill, p99", "s", LLAMA_SERVER, 0.15),)),
    Case(
        "prefix", prefix, 8, (LLAMA_SERVER,), 2,
        (
            Goal("shared prefix, at once, new", "s", LLAMA_SERVER, 0.1),
            Goal("shared prefix, at once, read before", "s", LLAMA_SERVER, 0.1),
            Goal("shared prefix, one after another", "s", LLAMA_SERVER, 1.0),
        ),
    ),
)  # fmt: skip
"""All cases, with the goals of this project."""
