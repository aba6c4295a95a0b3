"""Reading headers over HTTP from a real server."""

import asyncio
from collections.abc import Iterator

import pytest

from codemodel_delivery.gguf.errors import NotAModel
from codemodel_operator.headers import HeaderReader
from codemodel_operator.resources.download import Downloads
from delivery.tests.fetch.hub import Hub, parts, running, status
from delivery.tests.gguf.models import model

INSIDE = Downloads(allow_private=True)


@pytest.fixture
def hub() -> Iterator[Hub]:
    with running(Hub(parts)) as hub:
        yield hub


def test_a_header_is_read_once_however_many_ask(hub: Hub) -> None:
    hub.content = model()

    async def ask() -> list[object]:
        reader = HeaderReader(INSIDE)
        first = await asyncio.gather(*(reader.read(hub.url) for _ in range(20)))
        return [*first, await reader.read(hub.url)]

    headers = asyncio.run(ask())
    assert {getattr(header, "architecture", None) for header in headers} == {"llama"}
    assert all(header is headers[0] for header in headers)
    assert len(hub.requests) <= 5


def test_it_is_read_again_after_a_while(hub: Hub) -> None:
    hub.content = b"<html>" * 100
    now = 0.0
    reader = HeaderReader(INSIDE, clock=lambda: now)

    async def ask() -> None:
        nonlocal now
        for later in (0, 1, 1000):
            now += later
            with pytest.raises(NotAModel):
                await reader.read(hub.url)

    asyncio.run(ask())
    assert len(hub.requests) == 2


def test_an_address_inside_is_not_asked_unless_the_administrator_allows_it(hub: Hub) -> None:
    assert asyncio.run(HeaderReader(Downloads()).read(hub.url)) is None
    assert hub.requests == []


def test_a_server_that_is_away_is_no_error() -> None:
    pauses: list[float] = []
    reader = HeaderReader(INSIDE, sleep=pauses.append)
    assert asyncio.run(reader.read("http://127.0.0.1:9/m.gguf")) is None
    assert pauses == [0.5, 1.0, 2.0]


def test_a_server_that_cannot_answer_yet_is_asked_again() -> None:
    with running(Hub(status(503), status(503), parts)) as hub:
        hub.content = model()
        header = asyncio.run(HeaderReader(INSIDE, sleep=lambda _: None).read(hub.url))
    assert header is not None
    assert header.architecture == "llama"


def test_one_that_lets_time_pass_is_asked_once() -> None:
    with running(Hub(status(503))) as hub:
        times = iter(range(0, 1000, 5))
        reader = HeaderReader(INSIDE, clock=lambda: next(times), sleep=lambda _: None)
        assert asyncio.run(reader.read(hub.url)) is None
        assert len(hub.requests) == 1


def test_a_hub_that_was_away_is_asked_again_soon() -> None:
    now = 0.0
    reader = HeaderReader(INSIDE, clock=lambda: now, sleep=lambda _: None)

    async def ask(hub: Hub) -> list[bool]:
        nonlocal now
        known = []
        for later in (0, 29, 2):
            now += later
            known.append(await reader.read(hub.url) is not None)
        return known

    with running(Hub(*[status(503)] * 4, parts)) as hub:
        hub.content = model()
        assert asyncio.run(ask(hub)) == [False, False, True]
