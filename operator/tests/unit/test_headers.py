"""Reading headers over HTTP from a real server."""

import asyncio
from collections.abc import Iterator

import pytest

from codemodel_delivery.gguf.errors import NotAModel
from codemodel_operator.headers import HeaderReader
from codemodel_operator.resources.download import Downloads
from delivery.tests.fetch.hub import Hub, parts, running
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
    assert asyncio.run(HeaderReader(INSIDE).read("http://127.0.0.1:9/m.gguf")) is None
