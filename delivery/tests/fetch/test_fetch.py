"""The downloader against a hub that misbehaves."""

import json
import random
import threading
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from codemodel_delivery.fetch import errors
from codemodel_delivery.fetch.errors import FetchError
from codemodel_delivery.fetch.source import parse_source, refuse_downgrade
from delivery.tests.fetch.fetcher import Fetcher
from delivery.tests.fetch.hub import (
    MODEL,
    SHA256,
    Handler,
    Hub,
    changed,
    cut_after,
    running,
    status,
    whole,
    without_range,
    wrong_range,
)

Behaviour = Callable[[Hub, Handler], None]


def test_a_model_is_fetched_once(fetcher: Fetcher) -> None:
    with running(Hub(whole)) as hub:
        assert fetcher.fetch(hub.url, SHA256) is True
        assert fetcher.fetch(hub.url, SHA256) is False
        assert fetcher.fetch(hub.url) is False
        assert hub.sent == len(MODEL)
    assert fetcher.path.read_bytes() == MODEL
    assert fetcher.path.stat().st_mode & 0o777 == 0o644
    note = json.loads(fetcher.path.with_name("model.gguf.json").read_text())
    assert (note["source"], note["etag"], note["sha256"], note["size"]) == (
        hub.url,
        '"v1"',
        SHA256,
        len(MODEL),
    )
    assert fetcher.leftovers() == []
    assert fetcher.events("progress")[-1]["percent"] == 100


@pytest.mark.parametrize(
    "behaviours",
    [
        pytest.param([cut_after(100_000), cut_after(3), cut_after(0), whole], id="cuts are resumed"),
        pytest.param([cut_after(100_000), without_range], id="a server without ranges begins again"),
        pytest.param([cut_after(100_000), wrong_range, whole], id="another part than asked for"),
        pytest.param([cut_after(100_000), status(416), whole], id="a range that is refused"),
        pytest.param([cut_after(2), whole], id="cut inside the magic number"),
        pytest.param(
            [status(500), status(503, Retry_After="7"), status(429), whole], id="a server in trouble"
        ),
    ],
)
def test_what_passes_is_tried_again(fetcher: Fetcher, behaviours: list[Behaviour]) -> None:
    with running(Hub(*behaviours)) as hub:
        assert fetcher.fetch(hub.url, SHA256)
    assert fetcher.path.read_bytes() == MODEL
    assert len(fetcher.pauses) == len(behaviours) - 1


def test_a_resumed_download_asks_only_for_the_rest(fetcher: Fetcher) -> None:
    with running(Hub(cut_after(100_000), whole)) as hub:
        fetcher.fetch(hub.url, SHA256)
    assert hub.requests[1]["range"] == "bytes=100000-"
    assert hub.sent == len(MODEL)


def test_a_file_that_changed_in_between_is_not_mixed(fetcher: Fetcher) -> None:
    with running(Hub(cut_after(100_000), changed)) as hub:
        fetcher.fetch(hub.url)
    assert fetcher.path.read_bytes() == hub.content != MODEL


def test_pauses_grow_and_retry_after_is_honoured(fetcher: Fetcher) -> None:
    with running(Hub(status(500), status(500), status(429, Retry_After="7"), whole)) as hub:
        fetcher.fetch(hub.url)
    assert fetcher.pauses == [1.0, 2.0, 7.0]


@pytest.mark.parametrize(
    ("behaviour", "error"),
    [
        (status(404), errors.NotFound),
        (status(410), errors.NotFound),
        (status(401), errors.Unauthorized),
        (status(403), errors.Unauthorized),
        (status(500), errors.NetworkFailed),
        (status(418), errors.NotFound),
        (cut_after(0), errors.NetworkFailed),
        (status(200, b"<html>sign in</html>"), errors.NotGGUF),
        (status(200, b"GG"), errors.NotGGUF),
        (status(200, b""), errors.NotGGUF),
        (status(302, Location="file:///etc/passwd"), errors.RefusedSource),
        (status(302, Location="/model.gguf"), errors.NotFound),
        (status(200, b"GGUF" + bytes(100)), errors.ChecksumMismatch),
    ],
)  # fmt: skip
def test_what_does_not_pass_leaves_nothing(
    fetcher: Fetcher, behaviour: Behaviour, error: type[FetchError]
) -> None:
    with running(Hub(behaviour)) as hub, pytest.raises(error) as raised:
        fetcher.fetch(hub.url, SHA256)
    assert "\n" not in str(raised.value)
    assert str(raised.value).startswith(f"{error.__name__}: ")
    assert not fetcher.path.exists()
    assert fetcher.leftovers() == []


def test_a_server_that_is_away_is_named(fetcher: Fetcher) -> None:
    with running(Hub(whole)) as hub:
        url = hub.url
    with pytest.raises(errors.NetworkFailed, match="refused"):
        fetcher.fetch(url)


def test_a_failed_download_leaves_the_model_that_was_there(fetcher: Fetcher) -> None:
    with running(Hub(whole, changed)) as hub:
        fetcher.fetch(hub.url, SHA256)
        with pytest.raises(errors.ChecksumMismatch, match=SHA256[:-1]):
            fetcher.fetch(hub.url, SHA256[:-1] + "x")
    assert fetcher.path.read_bytes() == MODEL


@pytest.mark.parametrize(
    "source",
    [
        "file:///etc/passwd", "ftp://host/x", "model.gguf", "http://",
        "http://user:pw@host/x", "ftp://user:pw@host/x", "http://user:pw@host:port/x",
    ],
)  # fmt: skip
def test_other_sources_are_refused(source: str) -> None:
    with pytest.raises(errors.RefusedSource) as raised:
        parse_source(source)
    assert "pw" not in str(raised.value)


def test_encryption_is_not_left() -> None:
    with pytest.raises(errors.RefusedSource):
        refuse_downgrade(parse_source("https://host/x"), parse_source("http://host/x"))


@pytest.mark.parametrize("code", [301, 302, 303, 307, 308])
def test_a_token_goes_to_its_own_host_only(fetcher: Fetcher, code: int) -> None:
    with running(Hub(cut_after(1000), whole), host="127.0.0.2") as other:
        redirect = status(code, Location=other.url, Set_Cookie="session=secret")
        with running(Hub(redirect)) as hub:
            fetcher.fetch(hub.url, SHA256, token="secret")
    assert [request["authorization"] for request in hub.requests] == ["Bearer secret"] * 2
    assert other.requests[1]["range"] == "bytes=1000-"
    assert "secret" not in str(other.requests)


def test_a_token_does_not_come_back_by_way_of_another_host(fetcher: Fetcher) -> None:
    def back(hub: Hub, handler: Handler) -> None:
        hub.send(handler, 302, b"", Location=first.url)

    with (
        running(Hub(back), host="127.0.0.2") as other,
        running(Hub(status(302, Location=other.url), whole)) as first,
    ):
        fetcher.fetch(first.url, SHA256, token="secret")
    assert "authorization" not in first.requests[1]


def test_each_version_is_named_when_a_download_goes_on(fetcher: Fetcher) -> None:
    """By its strong ETag, or else by its date; a weak ETag is no name for bytes (RFC 9110, section 13.1.5)."""
    date = "Wed, 21 Oct 2015 07:28:00 GMT"

    def weak(hub: Hub, handler: Handler) -> None:
        hub.etag = 'W/"1"'
        hub.send(handler, 200, MODEL[:1000], Content_Length=str(len(MODEL)), Last_Modified=date)
        handler.close_connection = True

    with running(Hub(weak, cut_after(1000), whole)) as hub:
        fetcher.fetch(hub.url, SHA256)
    assert hub.requests[1]["if-range"] == date
    assert "if-range" not in hub.requests[2]


@pytest.mark.parametrize("seed", range(5))
def test_a_connection_that_is_cut_anywhere(fetcher: Fetcher, seed: int) -> None:
    chance = random.Random(seed)
    cuts = [cut_after(chance.choice([1, 10, 1000, 100_000, 300_000])) for _ in range(5)]
    with running(Hub(*cuts, whole)) as hub:
        fetcher.fetch(hub.url, SHA256)
    assert fetcher.path.read_bytes() == MODEL
    assert hub.sent == len(MODEL)


def test_two_writers_download_once(tmp_path: Path) -> None:
    first_asks, go_on = threading.Event(), threading.Event()

    def held(hub: Hub, handler: Handler) -> None:
        first_asks.set()
        assert go_on.wait(30)
        whole(hub, handler)

    fetched: list[bool] = []
    one, two = Fetcher(tmp_path), Fetcher(tmp_path)
    with running(Hub(held)) as hub:
        threads = [
            threading.Thread(target=lambda f=f: fetched.append(f.fetch(hub.url, SHA256))) for f in (one, two)
        ]
        threads[0].start()
        assert first_asks.wait(30)
        threads[1].start()
        while not two.events("waiting"):
            threads[1].join(0.01)
        go_on.set()
        for thread in threads:
            thread.join()
    assert sorted(fetched) == [False, True]
    assert len(hub.requests) == 1


def test_a_file_without_its_note_is_taken_if_it_is_the_right_one(fetcher: Fetcher) -> None:
    fetcher.path.parent.mkdir()
    fetcher.path.write_bytes(MODEL)
    with running(Hub(whole)) as hub:
        assert fetcher.fetch(hub.url, SHA256) is False
        fetcher.path.write_bytes(b"GGUF, but another")
        assert fetcher.fetch(hub.url, SHA256) is True
    assert fetcher.path.read_bytes() == MODEL


def test_a_full_volume_is_seen_before_the_download(fetcher: Fetcher, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda _: SimpleNamespace(free=1000))
    with running(Hub(whole)) as hub, pytest.raises(errors.NoSpace, match="1000 free"):
        fetcher.fetch(hub.url)
