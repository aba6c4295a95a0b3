import asyncio
import json
from collections.abc import Awaitable, Callable

from inference_server.benchmarks.client import Answer, Client, closed_loop
from inference_server.benchmarks.events import Surface

HEAD = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def chunk(*events: dict[str, object]) -> bytes:
    data = b"".join(f"data: {json.dumps(event)}\n\n".encode() for event in events)
    return f"{len(data):x}\r\n".encode() + data + b"\r\n"


def token(text: str) -> dict[str, object]:
    return {"content": text, "stop": False}


LAST: dict[str, object] = {"content": "", "stop": True}


async def ask(*parts: bytes) -> Answer:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0])
        assert json.loads(await reader.readexactly(length))["ignore_eos"] is True
        for part in parts:
            writer.write(part)
            await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        return await Client(port, Surface.LLAMA_CPP).complete("text", 3)


def test_tokens_are_counted_and_the_end_is_seen() -> None:
    answer = asyncio.run(
        ask(HEAD, chunk(token("a")), chunk(token("b"), token("c")), chunk(LAST), b"0\r\n\r\n")
    )
    assert (len(answer.times), answer.complete, answer.problem) == (3, True, "")
    assert 0 <= answer.first <= answer.whole


def test_a_stream_that_is_cut_is_not_complete() -> None:
    answer = asyncio.run(ask(HEAD, chunk(token("a"))))
    assert (len(answer.times), answer.complete) == (1, False)
    assert answer.ended is not None


def test_a_refusal_is_kept_with_its_reason() -> None:
    answer = asyncio.run(ask(b"HTTP/1.1 429 Too Many Requests\r\nContent-Length: 4\r\n\r\n", b"full"))
    assert answer.problem == "status 429: full"
    assert not answer.complete


def test_gaps_that_reach_into_the_window_count_whole() -> None:
    answer = Answer(0.0, [1.0, 2.0, 12.0, 13.0, 20.0])
    assert answer.gaps(11.0, 12.5) == [10.0, 1.0]
    assert answer.count(2.0, 13.0) == 3


def test_a_closed_loop_leaves_off_in_time() -> None:
    async def run() -> list[Answer]:
        first = True

        async def answered_once(answer: Answer) -> Answer:
            nonlocal first
            if not first:
                await asyncio.Event().wait()
            first = False
            answer.ended = 0.0
            return answer

        return await closed_loop(2, 3, answered_once, 0.01)

    answers = asyncio.run(run())
    assert sorted(answer.ended is None for answer in answers) == [False, True, True]
