"""A header over HTTP: from servers that send parts, those that do not, and those that lie."""

import itertools
from collections.abc import Callable

import httpx
import pytest

from codemodel_delivery.fetch import errors
from codemodel_delivery.gguf.errors import HeaderUnavailable, NotAModel
from codemodel_delivery.gguf.header import Header
from codemodel_delivery.gguf.remote import read_remote_header
from delivery.tests.fetch.hub import Handler, Hub, asked, part, parts, running, status
from delivery.tests.gguf.models import header_of, model

Behaviour = Callable[[Hub, Handler], None]
_SMALL = model()
_LARGE = model(tokens=[f"token{index:09}" for index in range(40_000)])
_KIBI = 1 << 10


def whole(hub: Hub, handler: Handler) -> None:
    """The whole file, whatever is asked."""
    hub.send(handler, 200, hub.content)


def without_length(hub: Hub, handler: Handler) -> None:
    """The whole file, until the connection ends."""
    hub.send(handler, 200, hub.content, Content_Length="")
    handler.close_connection = True


def elsewhere(hub: Hub, handler: Handler) -> None:
    """A part that was not asked for."""
    part(hub, handler, 7, hub.content[7:1000])


def less(hub: Hub, handler: Handler) -> None:
    """Only the beginning of what was asked for."""
    start, _ = asked(handler)
    part(hub, handler, start, hub.content[start : start + 100])


def more(hub: Hub, handler: Handler) -> None:
    """All that follows what was asked for."""
    start, _ = asked(handler)
    part(hub, handler, start, hub.content[start:])


def changing(hub: Hub, handler: Handler) -> None:
    """A file that is another one with every request."""
    hub.etag = f'"v{len(hub.requests)}"'
    parts(hub, handler)


def of_unknown_size(hub: Hub, handler: Handler) -> None:
    """The right part of a file, the size of which is not told."""
    start, end = asked(handler)
    hub.send(handler, 206, hub.content[start : end + 1], Content_Range=f"bytes {start}-{end}/*")


def broken(hub: Hub, handler: Handler) -> None:
    """Less than announced."""
    hub.send(handler, 200, hub.content[:100], Content_Length=str(len(hub.content)))
    handler.close_connection = True


def _hub(behaviour: Behaviour, content: bytes) -> Hub:
    hub = Hub(behaviour)
    hub.content = content
    return hub


def _read(hub: Hub, clock: Callable[[], float] = lambda: 0.0) -> Header:
    with httpx.Client(timeout=10, trust_env=False, headers={"Authorization": "Bearer SECRET"}) as client:
        return read_remote_header(httpx.URL(f"{hub.url}?signature=SECRET"), client, clock=clock)


@pytest.mark.parametrize("behaviour", [parts, whole, more])
@pytest.mark.parametrize("content", [_SMALL, _LARGE], ids=["small", "large"])
def test_a_header_is_read_as_from_a_file(behaviour: Behaviour, content: bytes) -> None:
    with running(_hub(behaviour, content)) as hub:
        assert _read(hub) == header_of(content)


def test_blocks_grow_and_scores_are_passed_over() -> None:
    with running(_hub(parts, _LARGE)) as hub:
        _read(hub)
    first, *others = (request["range"] for request in hub.requests)
    assert first == f"bytes=0-{256 * _KIBI - 1}"
    assert len(others) == 2
    assert hub.sent < len(_LARGE) / 10
    assert {request["authorization"] for request in hub.requests} == {"Bearer SECRET"}


def test_a_server_without_parts_is_left_before_the_weights() -> None:
    with running(_hub(whole, _SMALL + bytes(64 << 20))) as hub:
        assert _read(hub).size == len(hub.content)
    assert len(hub.requests) == 1
    # It could not send all of it: the connection was closed meanwhile.
    assert hub.sent == 0


def test_redirects_are_followed() -> None:
    with running(Hub(parts)) as there, running(Hub(status(302, Location=there.url + "?signature=y"))) as hub:
        there.content = _SMALL
        assert _read(hub) == header_of(_SMALL)
    assert "authorization" not in there.requests[0]


@pytest.mark.parametrize(
    ("behaviour", "error", "message"),
    [
        (status(401), errors.Unauthorized, "answered 401: check the token"),
        (status(403), errors.Unauthorized, "answered 403"),
        (status(404), errors.NotFound, "answered 404: check the model's source"),
        (status(418), errors.NotFound, "answered 418"),
        (status(416), errors.NotGGUF, "is empty"),
        (status(429), errors.NetworkFailed, "answered 429: try again"),
        (status(503), errors.NetworkFailed, "answered 503: try again"),
        (status(302, Location="ftp://127.0.0.1/x"), errors.RefusedSource, "not http or https"),
        (status(302, Location="/model.gguf"), errors.NotFound, "in circles"),
        (status(302, Location="http://SECRET:SECRET@[/"), errors.NetworkFailed, "check that the server"),
        (status(200, b"<html>no model here</html>"), NotAModel, "GGUF model's file itself"),
        (status(200, _SMALL, Content_Encoding="gzip"), errors.NotGGUF, "compressed"),
        (elsewhere, errors.NetworkFailed, "another part"),
        (status(206, _SMALL[:1000], Content_Range="bytes"), errors.NetworkFailed, "another part"),
        (
            status(206, _SMALL[:9], Content_Range=f"bytes 0-8/{'9' * 5000}"),
            errors.NetworkFailed,
            "another part",
        ),
        (less, errors.NetworkFailed, "ended too early"),
        (changing, errors.NetworkFailed, "changed while it was read"),
        (broken, errors.NetworkFailed, "check that the server can be reached"),
        (of_unknown_size, HeaderUnavailable, "does not tell the file's size"),
        (without_length, HeaderUnavailable, "does not tell the file's size"),
    ],
)
def test_what_goes_wrong_is_told(behaviour: Behaviour, error: type[Exception], message: str) -> None:
    with running(_hub(behaviour, _LARGE)) as hub, pytest.raises(error, match=message) as raised:
        _read(hub)
    assert "SECRET" not in str(raised.value)


@pytest.mark.parametrize("behaviour", [parts, whole])
def test_a_file_that_is_shorter_than_its_tensors_is_truncated(behaviour: Behaviour) -> None:
    with running(_hub(behaviour, _LARGE[:-1])) as hub, pytest.raises(NotAModel, match="truncated"):
        _read(hub)


def test_a_header_that_is_too_long_is_given_up() -> None:
    content = model(tokens=["x" * 1000] * 20_000)
    with running(_hub(parts, content)) as hub, pytest.raises(HeaderUnavailable, match="more than 16 MiB"):
        _read(hub)
    assert hub.sent <= 24 << 20


def test_a_server_that_is_too_slow_is_given_up() -> None:
    with running(_hub(parts, _LARGE)) as hub, pytest.raises(errors.NetworkFailed, match="in 30 s"):
        _read(hub, itertools.count(step=20.0).__next__)


def test_a_server_that_is_not_there_is_told() -> None:
    with running(Hub(parts)) as hub:
        pass
    with pytest.raises(errors.NetworkFailed, match="check that the server can be reached"):
        _read(hub)
