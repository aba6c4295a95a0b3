"""The downloader connects to what was checked, whatever names and redirects say."""

import ipaddress
from collections.abc import Sequence
from pathlib import Path

import httpx
import pytest

from codemodel_delivery.fetch.errors import NetworkFailed, RefusedSource
from codemodel_delivery.fetch.guard import Address, GuardedTransport, resolve_host
from codemodel_delivery.fetch.partial import Partial
from codemodel_delivery.fetch.progress import JsonProgress
from codemodel_delivery.fetch.source import parse_source
from codemodel_delivery.fetch.transfer import Transfer
from delivery.tests.fetch.fetcher import Fetcher
from delivery.tests.fetch.hub import MODEL, Hub, cut_after, running, status, whole

PUBLIC = "93.184.215.14"


class Names:
    """A resolver whose answers are given: one a question, the last one goes on."""

    def __init__(self, **answers: list[list[str]]) -> None:
        self.asked: list[str] = []
        self._answers = {name.replace("_", "."): list(answer) for name, answer in answers.items()}

    def __call__(self, name: str) -> Sequence[Address]:
        self.asked.append(name)
        answers = self._answers.get(name, [[name]])
        answer = answers.pop(0) if len(answers) > 1 else answers[0]
        return [ipaddress.ip_address(text) for text in answer]


class Detour(httpx.BaseTransport):
    """Leads connections for public addresses to a server here, and notes where they were to go."""

    def __init__(self, port: int | None) -> None:
        self.requests: list[httpx.Request] = []
        self._inner = httpx.HTTPTransport()
        self._port = port

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        url = request.url.copy_with(host="127.0.0.1", port=self._port)
        return self._inner.handle_request(
            httpx.Request(request.method, url, headers=request.headers, stream=request.stream)
        )

    def close(self) -> None:
        self._inner.close()


def port(hub: Hub) -> int:
    found = httpx.URL(hub.url).port
    assert found is not None
    return found


def fetch(url: str, folder: Path, transport: httpx.BaseTransport) -> bytes:
    """A download in which pauses are not made."""
    fetcher = Fetcher(folder)
    progress = JsonProgress(fetcher.out)
    transfer = Transfer(parse_source(url), None, progress, transport=transport, sleep=fetcher.pauses.append)
    with Partial(folder / "part", url) as partial:
        transfer.receive(partial)
    return (folder / "part").read_bytes()


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "127.1", "0x7f000001", "2130706433", "[::1]", "[::ffff:127.0.0.1]"]
)
def test_a_source_within_the_cluster_is_refused_however_it_is_written(host: str, tmp_path: Path) -> None:
    with running(Hub(whole)) as hub, pytest.raises(RefusedSource, match="--allow-private"):
        fetch(f"http://{host}:{port(hub)}/model.gguf", tmp_path, GuardedTransport())
    assert hub.requests == []


def test_a_refusal_names_host_and_address(tmp_path: Path) -> None:
    names = Names(inner_example=[["10.1.2.3"]])
    with pytest.raises(RefusedSource, match=r"inner\.example has the address 10\.1\.2\.3"):
        fetch("http://inner.example/model.gguf", tmp_path, GuardedTransport(resolve=names))


def test_what_is_allowed_is_fetched(tmp_path: Path) -> None:
    with running(Hub(whole)) as hub:
        url = hub.url.replace("127.0.0.1", "localhost")
        assert fetch(url, tmp_path, GuardedTransport(allow_private=True)) == MODEL
    assert hub.requests[0]["host"] == f"localhost:{port(hub)}"


def test_the_metadata_service_is_refused_where_private_addresses_are_allowed(tmp_path: Path) -> None:
    with pytest.raises(RefusedSource, match=r"169\.254\.169\.254"):
        fetch("http://169.254.169.254/latest", tmp_path, GuardedTransport(allow_private=True))


def test_the_address_that_was_checked_is_the_one_connected_to(tmp_path: Path) -> None:
    names = Names(rebinding_example=[[PUBLIC], ["127.0.0.1"]])
    with running(Hub(whole)) as hub:
        detour = Detour(port(hub))
        got = fetch(
            "http://rebinding.example/model.gguf", tmp_path, GuardedTransport(resolve=names, inner=detour)
        )
    assert got == MODEL
    assert names.asked == ["rebinding.example"]
    assert [request.url.host for request in detour.requests] == [PUBLIC]
    assert hub.requests[0]["host"] == "rebinding.example"


def test_a_name_whose_address_changes_is_refused_when_the_download_goes_on(tmp_path: Path) -> None:
    names = Names(rebinding_example=[[PUBLIC], ["127.0.0.1"]])
    with running(Hub(cut_after(1000), whole)) as hub:
        guard = GuardedTransport(resolve=names, inner=Detour(port(hub)))
        with pytest.raises(RefusedSource, match=r"127\.0\.0\.1"):
            fetch("http://rebinding.example/model.gguf", tmp_path, guard)
    assert len(hub.requests) == 1


@pytest.mark.parametrize("address", ["127.0.0.1", "169.254.169.254", "fd00::1", "64:ff9b::7f00:1"])
def test_a_redirect_to_a_private_address_is_refused(tmp_path: Path, address: str) -> None:
    names = Names(public_example=[[PUBLIC]], inner_example=[[address]])
    with running(Hub(status(302, Location="http://inner.example/secret"), whole)) as hub:
        detour = Detour(port(hub))
        with pytest.raises(RefusedSource, match=r"inner\.example has the address"):
            fetch("http://public.example/x", tmp_path, GuardedTransport(resolve=names, inner=detour))
    assert [request.url.host for request in detour.requests] == [PUBLIC]


def test_a_private_address_beside_a_public_one_is_not_tried(tmp_path: Path) -> None:
    names = Names(both_example=[["127.0.0.1", PUBLIC]])
    with running(Hub(whole)) as hub:
        detour = Detour(port(hub))
        fetch("http://both.example/x", tmp_path, GuardedTransport(resolve=names, inner=detour))
    assert [request.url.host for request in detour.requests] == [PUBLIC]


def test_the_next_address_is_tried_when_one_does_not_answer(tmp_path: Path) -> None:
    names = Names(two_example=[["127.0.0.2", "127.0.0.1"]])
    with running(Hub(whole)) as hub:
        guard = GuardedTransport(allow_private=True, resolve=names)
        assert fetch(f"http://two.example:{port(hub)}/x", tmp_path, guard) == MODEL
    assert len(names.asked) == 1


def test_an_address_that_does_not_answer_is_named() -> None:
    class Silent(httpx.BaseTransport):
        def handle_request(self, request: httpx.Request) -> httpx.Response:
            raise httpx.ConnectTimeout("timed out", request=request)

    names = Names(silent_example=[[PUBLIC]])
    guard = GuardedTransport(resolve=names, inner=Silent())
    with pytest.raises(httpx.ConnectError, match=rf"silent\.example does not answer at {PUBLIC}"):
        guard.handle_request(httpx.Request("GET", "http://silent.example/x"))


def test_a_server_that_is_not_there_is_tried_again_and_given_up(tmp_path: Path) -> None:
    names = Names(gone_example=[[]])
    with pytest.raises(NetworkFailed, match=r"gone\.example has no address"):
        fetch("http://gone.example/x", tmp_path, GuardedTransport(resolve=names))
    assert len(names.asked) == 6


def test_a_host_without_an_address_may_have_one_later() -> None:
    # RFC 6761: nothing is ever named so.
    with pytest.raises(httpx.ConnectError, match=r"cannot resolve nothing\.invalid"):
        resolve_host("nothing.invalid")


def test_what_cannot_be_a_host_is_refused() -> None:
    with pytest.raises(RefusedSource, match="not the name of a host"):
        resolve_host("a..b")


def test_proxies_of_the_environment_are_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with running(Hub(whole)) as hub, running(Hub(status(500)), host="127.0.0.2") as proxy:
        monkeypatch.setenv("http_proxy", proxy.url)
        monkeypatch.setenv("ALL_PROXY", proxy.url)
        assert fetch(hub.url, tmp_path, GuardedTransport(allow_private=True)) == MODEL
    assert proxy.requests == []


def test_a_host_that_is_not_allowed_is_not_even_looked_up(tmp_path: Path) -> None:
    names = Names()
    with pytest.raises(RefusedSource, match=r"other\.example is not among"):
        fetch("http://other.example/x", tmp_path, GuardedTransport(hosts=["models.example"], resolve=names))
    assert names.asked == []


def test_a_redirect_leaves_the_allowed_hosts_only_for_one_of_them(tmp_path: Path) -> None:
    names = Names(models_example=[[PUBLIC]], cdn_models_example=[[PUBLIC]])
    there = [status(302, Location=f"http://{host}/x") for host in ("cdn.models.example", "other.example")]
    with running(Hub(*there)) as hub:
        detour = Detour(port(hub))
        guard = GuardedTransport(hosts=["models.example", "*.models.example"], resolve=names, inner=detour)
        with pytest.raises(RefusedSource, match=r"other\.example is not among"):
            fetch("http://models.example/x", tmp_path, guard)
    assert names.asked == ["models.example", "cdn.models.example"]
