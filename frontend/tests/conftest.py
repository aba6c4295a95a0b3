"""Fixtures: the distribution's Chromium, and servers for it to talk to."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, expect, sync_playwright

from frontend.tests.stub import Stub, running_stub
from frontend.tests.tab import Tab
from inference_server.tests.support import ServerProcess
from models.sample_model.build import build

CHROMIUM = Path("/usr/bin/chromium")
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
)  # fmt: skip
PATIENCE_MS = 20_000
OpenTab = Callable[..., Tab]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium, for one module at a time: while it runs, its event loop keeps others out of this thread."""
    if not CHROMIUM.exists():
        pytest.fail(f"{CHROMIUM} is missing: install it with `apt-get install -y chromium`", pytrace=False)
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=[*FLAGS])
        yield started
        started.close()


@pytest.fixture
def new_context(browser: Browser) -> Iterator[Callable[..., BrowserContext]]:
    """Makes browser profiles that share nothing."""
    made: list[BrowserContext] = []

    def new(**options: Any) -> BrowserContext:
        context = browser.new_context(**{"viewport": {"width": 1100, "height": 800}, **options})
        context.set_default_timeout(PATIENCE_MS)
        context.grant_permissions(["clipboard-read", "clipboard-write"])
        made.append(context)
        return context

    yield new
    for context in made:
        context.close()


@pytest.fixture
def stopped_clock(new_context: Callable[..., BrowserContext]) -> BrowserContext:
    """A profile whose time passes only by `clock.run_for`."""
    context = new_context()
    context.clock.install(time=0)
    context.clock.pause_at(1000)
    return context


@pytest.fixture
def open_tab(new_context: Callable[..., BrowserContext]) -> Iterator[OpenTab]:
    """Opens the page in a profile of its own, or in one that is given; at the end nothing may have gone wrong there."""
    opened: list[Tab] = []

    def open_one(
        server: str | ServerProcess | Stub,
        context: BrowserContext | None = None,
        fragment: str = "",
        **options: Any,
    ) -> Tab:
        url = server if isinstance(server, str) else url_of(server)
        tab = Tab(context or new_context(**options), url, fragment)
        opened.append(tab)
        return tab

    yield open_one
    assert [fault for tab in opened for fault in tab.faults()] == []


def url_of(server: ServerProcess | Stub) -> str:
    """Where the page is."""
    return server.url if isinstance(server, Stub) else f"{str(server.client.base_url).rstrip('/')}/"


@pytest.fixture
def stub() -> Iterator[Stub]:
    """A server that does what the test says."""
    with running_stub() as server:
        yield server


def _server(folder: Path, *arguments: str) -> Iterator[ServerProcess]:
    server = ServerProcess(folder, arguments, {"POD_NAME": "pod-7"})
    server.wait_ready()
    yield server
    server.close()


@pytest.fixture(scope="session")
def mock_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """The mock engine at the speed of a small model, with room for long answers."""
    yield from _server(
        tmp_path_factory.mktemp("mock"),
        "--engine",
        "mock",
        "--mock-tokens-per-second",
        "100",
        "--parallel",
        "4",
    )


@pytest.fixture(scope="session")
def flood_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """The mock engine as fast as it can."""
    yield from _server(
        tmp_path_factory.mktemp("flood"),
        "--engine", "mock", "--mock-tokens-per-second", "0", "--context-length", "16384",
    )  # fmt: skip


@pytest.fixture(scope="session")
def steady_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """The mock engine, some tokens a frame."""
    yield from _server(
        tmp_path_factory.mktemp("steady"),
        "--engine", "mock", "--mock-tokens-per-second", "8000", "--context-length", "16384",
    )  # fmt: skip


@pytest.fixture(scope="session")
def narrow_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A slow server with one place, no queue and little context."""
    yield from _server(
        tmp_path_factory.mktemp("narrow"),
        "--engine", "mock", "--mock-tokens-per-second", "10", "--context-length", "256",
        "--parallel", "1", "--queue-limit", "0",
    )  # fmt: skip


@pytest.fixture(scope="session")
def guarded_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """The mock engine, for those who have the key "sesame"."""
    folder = tmp_path_factory.mktemp("guarded")
    keys = folder / "keys"
    keys.write_text("sesame\n")
    yield from _server(folder, "--engine", "mock", "--context-length", "2048", "--api-keys", str(keys))


@pytest.fixture(scope="session")
def llama_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """The llama.cpp engine with the sample model."""
    folder = tmp_path_factory.mktemp("llama")
    build(folder / "sample-coder.gguf")
    yield from _server(
        folder, "--engine", "llama-cpp", "--model", str(folder / "sample-coder.gguf"), "--threads", "1"
    )
