"""The downloader against servers that lie, stall or pass on what they should not."""

import datetime
import errno
import gzip
import itertools
import time
from collections.abc import Callable
from email.utils import format_datetime
from pathlib import Path

import httpx
import pytest

from codemodel_delivery.fetch import errors
from codemodel_delivery.fetch.errors import FetchError
from codemodel_delivery.fetch.partial import Partial
from codemodel_delivery.fetch.progress import JsonProgress
from codemodel_delivery.fetch.response import retry_after
from codemodel_delivery.fetch.source import parse_source, refuse_downgrade
from codemodel_delivery.fetch.store import ModelStore
from codemodel_delivery.fetch.transfer import Transfer
from delivery.tests.fetch.fetcher import Fetcher
from delivery.tests.fetch.hub import (
    MODEL,
    SHA256,
    Handler,
    Hub,
    cut_after,
    running,
    status,
    whole,
)
from delivery.tests.fetch.processes import Limits, fetching

Behaviour = Callable[[Hub, Handler], None]
ALL = len(MODEL)


def part(start: int, end: int, total: str = str(ALL), **headers: str) -> Behaviour:
    """This part of the file, asked for or not."""
    return status(206, MODEL[start:end], Content_Range=f"bytes {start}-{end - 1}/{total}", **headers)


more_than_described = status(206, MODEL[1000:] + b"more", Content_Range=f"bytes 1000-{ALL - 1}/{ALL}")


@pytest.mark.parametrize(
    ("behaviours", "requests"),
    [
        pytest.param([part(0, 1000), whole], 2, id="a part that was not asked for"),
        pytest.param(
            [cut_after(1000), part(1000, ALL, ETag='"v2"'), whole], 3, id="a part of another version"
        ),
        pytest.param([cut_after(1000), part(1000, ALL, "77"), whole], 3, id="a part of another size"),
        pytest.param([cut_after(1000), part(1000, 2000), whole], 3, id="less than was asked for"),
        pytest.param([cut_after(1000), part(999, ALL), whole], 3, id="a byte too early"),
        pytest.param([cut_after(1000), part(1001, ALL), whole], 3, id="a byte too late"),
        pytest.param([cut_after(1000), more_than_described, whole], 3, id="more than was asked for"),
        pytest.param(
            [cut_after(1000), status(206, MODEL[1000:]), whole], 3, id="a part that is not described"
        ),
    ],
)
def test_parts_are_not_put_together_wrongly(
    fetcher: Fetcher, behaviours: list[Behaviour], requests: int
) -> None:
    with running(Hub(*behaviours)) as hub:
        fetcher.fetch(hub.url)
    assert fetcher.path.read_bytes() == MODEL
    assert len(hub.requests) == requests


def test_a_part_with_other_bytes_than_it_says_is_noticed_by_the_checksum(fetcher: Fetcher) -> None:
    other = status(206, bytes(ALL - 1000), Content_Range=f"bytes 1000-{ALL - 1}/{ALL}")
    with running(Hub(cut_after(1000), other)) as hub, pytest.raises(errors.ChecksumMismatch):
        fetcher.fetch(hub.url, SHA256)
    assert fetcher.leftovers() == []


def test_a_length_that_is_too_small_is_noticed_by_the_checksum(fetcher: Fetcher) -> None:
    with (
        running(Hub(status(200, MODEL, Content_Length="1000"))) as hub,
        pytest.raises(errors.ChecksumMismatch),
    ):
        fetcher.fetch(hub.url, SHA256)
    assert fetcher.leftovers() == []


def test_a_compressed_file_is_neither_unpacked_nor_kept(fetcher: Fetcher) -> None:
    packed = status(200, gzip.compress(MODEL), Content_Encoding="gzip")
    with running(Hub(packed)) as hub, pytest.raises(errors.NotGGUF, match="compressed"):
        fetcher.fetch(hub.url, SHA256)
    assert hub.requests[0]["accept-encoding"] == "identity"
    assert fetcher.leftovers() == []


@pytest.mark.parametrize("value", ["\u00b2", "-1", "soon", "Wed, 21 Oct 2015 07:28:00 GMT"])
def test_a_strange_retry_after_does_no_harm(fetcher: Fetcher, value: str) -> None:
    with running(Hub(status(503, Retry_After=value), whole)) as hub:
        fetcher.fetch(hub.url, SHA256)
    assert fetcher.pauses == [1.0]


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("45", 45.0),
        ("0", 1.0),
        ("86400", 120.0),
        ("Wed, 21 Oct 2015 07:28:30 GMT", 30.0),
        ("Wednesday, 21-Oct-15 07:28:30 GMT", 30.0),
        ("Wed Oct 21 07:28:30 2015", 30.0),
    ],
)
def test_retry_after_is_honoured_in_each_of_its_forms(fetcher: Fetcher, value: str, seconds: float) -> None:
    def busy(hub: Hub, handler: Handler) -> None:
        handler.date_time_string = lambda timestamp=None: "Wed, 21 Oct 2015 07:28:00 GMT"  # type: ignore[method-assign]
        status(429, Retry_After=value)(hub, handler)

    with running(Hub(busy, whole)) as hub:
        fetcher.fetch(hub.url, SHA256)
    assert fetcher.pauses == [seconds]


def test_a_date_to_retry_after_counts_from_now_where_the_server_says_no_date() -> None:
    soon = format_datetime(datetime.datetime.now(datetime.UTC) + datetime.timedelta(hours=1), usegmt=True)
    assert 3000 < (retry_after(httpx.Headers({"Retry-After": soon})) or 0) <= 3600


def test_headers_that_never_end_are_given_up(fetcher: Fetcher) -> None:
    def endless(hub: Hub, handler: Handler) -> None:
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nETag: ")
        handler.rfile.read(1)

    with running(Hub(endless)) as hub:
        moved = Transfer(
            parse_source(hub.url), None, JsonProgress(fetcher.out), patience=0.1, sleep=fetcher.pauses.append
        )
        with pytest.raises(errors.NetworkFailed, match="did not answer within 0 s"):
            ModelStore(fetcher.path, JsonProgress(fetcher.out)).ensure(hub.url, SHA256, moved)
    assert len(hub.requests) == 6
    assert fetcher.leftovers() == []


def test_a_download_that_goes_on_and_on_is_ended_and_kept(fetcher: Fetcher) -> None:
    fetcher.clock = itertools.count(step=3000.0).__next__
    with running(Hub(*[cut_after(70_000)] * 3, whole)) as hub:
        with pytest.raises(errors.NetworkFailed, match="did not come within 6 h"):
            fetcher.fetch(hub.url, SHA256)
        fetcher.clock = time.monotonic
        fetcher.fetch(hub.url, SHA256)
    assert hub.requests[-1]["range"] > "bytes=0-"
    assert fetcher.path.read_bytes() == MODEL


def test_a_server_that_holds_the_download_is_given_up(fetcher: Fetcher) -> None:
    def drip(hub: Hub, handler: Handler) -> None:
        cut_after(10)(hub, handler)
        handler.rfile.read(1)

    # A minute and more passes with every look at the clock.
    fetcher.clock = itertools.count(step=100.0).__next__
    with running(Hub(drip)) as hub, pytest.raises(errors.NetworkFailed, match="only 10 bytes came in 64 s"):
        fetcher.fetch(hub.url, SHA256)
    assert len(hub.requests) == 6


@pytest.mark.parametrize(
    "behaviour",
    [
        status(404),
        status(401),
        status(500),
        status(200, b"<html>"),
        status(200, b"GG"),
        status(200, b"GGUF1"),
        status(200, MODEL, Content_Encoding="gzip"),
        status(302, Location="/model.gguf?signature=SECRET"),
        status(302, Location="file:///SECRET"),
        status(302, Location="http://SECRET:SECRET@[/"),
    ],
)
def test_secrets_in_urls_are_not_told(fetcher: Fetcher, behaviour: Behaviour) -> None:
    with running(Hub(behaviour)) as hub, pytest.raises(FetchError) as raised:
        fetcher.fetch(f"{hub.url}?signature=SECRET", SHA256)
    assert "SECRET" not in str(raised.value)
    assert "SECRET" not in fetcher.out.getvalue()


def test_secrets_in_redirects_are_not_told() -> None:
    with pytest.raises(errors.RefusedSource) as raised:
        refuse_downgrade(
            parse_source("https://host/a?signature=SECRET"),
            parse_source("http://host/b?signature=SECRET").copy_with(userinfo=b"u:SECRET"),
        )
    assert "SECRET" not in str(raised.value)
    assert "http://host/b" in str(raised.value)


@pytest.mark.parametrize("place", ["file/model.gguf", "folder"])
def test_a_place_that_cannot_be_written_is_named(tmp_path: Path, place: str) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "folder").mkdir()
    fetcher = Fetcher(tmp_path)
    fetcher.path = tmp_path / place
    with running(Hub(whole)) as hub, pytest.raises(errors.CannotWrite, match=place.partition("/")[0]):
        fetcher.fetch(hub.url)
    assert hub.requests == []


@pytest.mark.parametrize(
    ("number", "error"), [(errno.ENOSPC, errors.NoSpace), (errno.EROFS, errors.CannotWrite)]
)
def test_a_volume_that_refuses_in_the_middle(
    fetcher: Fetcher, monkeypatch: pytest.MonkeyPatch, number: int, error: type[FetchError]
) -> None:
    def refuse(_partial: Partial, _data: bytes) -> None:
        raise OSError(number, "refused")

    monkeypatch.setattr(Partial, "append", refuse)
    with running(Hub(whole)) as hub, pytest.raises(error, match=f"{fetcher.path}: refused"):
        fetcher.fetch(hub.url)
    assert fetcher.leftovers() == []


def test_a_disk_that_gets_full_in_the_middle(fetcher: Fetcher, tmp_path: Path) -> None:
    """A limit on the file's size, which the kernel enforces as it does a full disk: a part is written, then none."""
    limits = Limits(file_size=300_001)
    with running(Hub(whole)) as hub:
        with fetching(fetcher.path, tmp_path / "log", hub.url, limits=limits) as process:
            assert process.ended() == errors.NoSpace.exit_code
        assert "make the cache larger" in process.events()[-1]["message"]
        assert not fetcher.path.exists()
        assert fetcher.leftovers() == []
        assert fetcher.fetch(hub.url, SHA256)


def test_a_body_without_a_length_that_breaks_off_is_tried_again(fetcher: Fetcher) -> None:
    def chunk(hub: Hub, handler: Handler) -> None:
        hub.send(handler, 200, b"", Content_Length="", Transfer_Encoding="chunked")
        handler.wfile.write(b"3E8\r\n" + MODEL[:1000] + b"\r\n")
        handler.close_connection = True

    def cut_rest(hub: Hub, handler: Handler) -> None:
        headers = {"Content_Length": str(ALL - 1000), "Content_Range": f"bytes 1000-{ALL - 1}/{ALL}"}
        hub.send(handler, 206, MODEL[1000:2000], **headers)
        handler.close_connection = True

    with running(Hub(chunk, cut_rest, part(2000, ALL))) as hub:
        fetcher.fetch(hub.url)
    assert fetcher.path.read_bytes() == MODEL
    assert [request.get("range") for request in hub.requests] == [None, "bytes=1000-", "bytes=2000-"]


def test_a_truncated_file_without_a_length_is_noticed_by_the_checksum(fetcher: Fetcher) -> None:
    def short(hub: Hub, handler: Handler) -> None:
        hub.send(handler, 200, MODEL[:-1], Content_Length="")
        handler.close_connection = True

    with running(Hub(short)) as hub, pytest.raises(errors.ChecksumMismatch):
        fetcher.fetch(hub.url, SHA256)
    assert not fetcher.path.exists()
    assert fetcher.leftovers() == []
