"""The client: streams answers and notes when each token came. One process, plain sockets: it takes little from the
servers that it measures on the same machine.
"""

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from inference_server.benchmarks.events import EventStream, Surface, read_event


@dataclass(slots=True)
class Answer:
    """One request and what came back; times are of the monotonic clock in seconds.

    Attributes:
        sent: when it was sent.
        times: when each token came.
        ended: when the stream ended; None while it runs, and if we left it.
        complete: whether the server said that it was the whole answer.
        problem: what went wrong, if something did.
    """

    sent: float
    times: list[float] = field(default_factory=list)
    ended: float | None = None
    complete: bool = False
    problem: str = ""

    @property
    def first(self) -> float:
        """Seconds from the request to the first token.

        Raises:
            ValueError: none came.
        """
        if not self.times:
            raise ValueError(f"no token came: {self.problem or 'the stream was cut'}")
        return self.times[0] - self.sent

    @property
    def whole(self) -> float:
        """Seconds from the request to the last token.

        Raises:
            ValueError: none came.
        """
        return self.first + self.times[-1] - self.times[0]

    def gaps(self, begin: float, end: float) -> list[float]:
        """Seconds between tokens, of all gaps that ended after `begin` and began before `end`."""
        return [after - before for before, after in pairwise(self.times) if after > begin and before < end]

    def count(self, begin: float, end: float) -> int:
        """Tokens that came from `begin` to `end`."""
        return sum(begin <= time <= end for time in self.times)


@dataclass(frozen=True, slots=True)
class Client:
    """Asks one server.

    Attributes:
        port: where it listens on 127.0.0.1.
        surface: the form of its streams.
    """

    port: int
    surface: Surface

    async def complete(self, prompt: str, tokens: int, answer: Answer | None = None) -> Answer:
        """Has a prompt continued by so many tokens, always the likeliest.

        Args:
            prompt: the text.
            tokens: how many to generate.
            answer: to be filled in, for one who looks at it meanwhile.
        """
        body = {"prompt": prompt, "stream": True, "temperature": 0}
        if self.surface is Surface.LLAMA_CPP:
            body |= {"n_predict": tokens, "ignore_eos": True, "cache_prompt": True}
        else:
            body |= {"max_tokens": tokens}
        return await self._stream(self.surface.value, body, answer)

    async def infill(self, prefix: str, suffix: str, tokens: int) -> Answer:
        """Asks for code at a place as editors do, who all name slot 0."""
        body = {
            "input_prefix": prefix,
            "input_suffix": suffix,
            "prompt": "",
            "n_predict": tokens,
            "id_slot": 0,
        }
        body |= {"stream": True, "temperature": 0, "ignore_eos": True, "cache_prompt": True}
        return await self._stream("/infill", body, None)

    async def _stream(self, path: str, body: Mapping[str, Any], answer: Answer | None) -> Answer:
        answer = answer or Answer(0.0)
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            answer.sent = time.monotonic()
            writer.write(_request(path, self.port, json.dumps(body).encode()))
            status, chunks = await _response(reader)
            if status == 200:
                await self._read(chunks, answer)
            else:
                text = b"".join([chunk async for chunk in chunks])
                answer.problem = f"status {status}: {text.decode(errors='replace')[:500]}"
        except (OSError, asyncio.IncompleteReadError) as error:
            answer.problem = f"{type(error).__name__}: {error}"
        finally:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()
        answer.ended = time.monotonic()
        return answer

    async def _read(self, chunks: AsyncIterator[bytes], answer: Answer) -> None:
        stream = EventStream()
        async for chunk in chunks:
            now = time.monotonic()
            for data in stream.feed(chunk):
                event = read_event(self.surface, data)
                answer.problem = event.problem or answer.problem
                answer.complete |= event.last
                if event.token:
                    answer.times.append(now)


async def closed_loop(
    streams: int, requests: int, ask: Callable[[Answer], Awaitable[Answer]], seconds: float
) -> list[Answer]:
    """So many clients, each of whom sends its next request when the last is answered.

    Args:
        streams: number of clients.
        requests: how many each sends.
        ask: sends one, filling in the answer that it is given.
        seconds: when to stop; answers under way then are not complete, and have no end.
    """
    answers: list[Answer] = []

    async def client() -> None:
        for _ in range(requests):
            answers.append(Answer(time.monotonic()))
            await ask(answers[-1])

    clients = [asyncio.create_task(client()) for _ in range(streams)]
    done, running = await asyncio.wait(clients, timeout=seconds)
    for task in running:
        task.cancel()
    await asyncio.gather(*running, return_exceptions=True)
    for task in done:
        task.result()
    return answers


def _request(path: str, port: int, body: bytes) -> bytes:
    head = (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    )
    return head.encode() + body


async def _response(reader: asyncio.StreamReader) -> tuple[int, AsyncIterator[bytes]]:
    head = await reader.readuntil(b"\r\n\r\n")
    chunked = b"transfer-encoding: chunked" in head.lower()
    return int(head.split(b" ", 2)[1]), _chunks(reader) if chunked else _until_closed(reader)


async def _chunks(reader: asyncio.StreamReader) -> AsyncIterator[bytes]:
    while size := int(await reader.readline() or b"0", 16):
        yield await reader.readexactly(size)
        await reader.readexactly(2)


async def _until_closed(reader: asyncio.StreamReader) -> AsyncIterator[bytes]:
    while received := await reader.read(1 << 16):
        yield received
