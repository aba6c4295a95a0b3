"""The live panel: what all replicas do, and when they became more or fewer."""

import re

from playwright.sync_api import BrowserContext, expect

from frontend.tests.conftest import OpenTab
from frontend.tests.stub import Stub, live
from inference_server.tests.support import ServerProcess

LOOK_MS = 2000
HIDE = """hidden => {
    Object.defineProperty(document, "hidden", {value: hidden, configurable: true});
    document.dispatchEvent(new Event("visibilitychange"));
}"""


def test_the_panel_shows_what_the_server_does(open_tab: OpenTab, mock_server: ServerProcess) -> None:
    tab = open_tab(mock_server)
    expect(tab.get("#live-replicas")).to_have_text("1 / 1")
    expect(tab.get("#live-running")).to_have_text("0")
    tab.settings(limit=4000)
    tab.ask("busy")
    expect(tab.get("#live-running")).to_have_text("1")
    expect(tab.get("#live-rate")).to_have_text(re.compile(r"^[1-9][\d.]*$"))
    expect(tab.get("#live-ttft")).to_have_text(re.compile(r"^[\d.]+ m?s$"))
    tab.page.keyboard.press("Escape")
    assert tab.get("#live-rate-line").get_attribute("points")


def test_scale_events_are_noted_with_their_time(
    open_tab: OpenTab, stopped_clock: BrowserContext, stub: Stub
) -> None:
    tab = open_tab(stub, stopped_clock)
    expect(tab.get("#live-replicas")).to_have_text("1 / 1")
    expect(tab.get("#live-waiting")).to_have_text("2")
    stub.live = live(1, 2)
    stopped_clock.clock.run_for(LOOK_MS)
    expect(tab.get("#live-says")).to_have_text("1 not ready")
    expect(tab.get("#live-dots .waits")).to_have_count(1)
    expect(tab.get("#events")).to_have_text("None yet")
    stub.live = live(2, 2)
    stopped_clock.clock.run_for(LOOK_MS)
    expect(tab.get("#events li")).to_have_text([re.compile(r"^1 → 2 at \d\d:\d\d:\d\d$")])
    stub.live = live(1, 1)
    stopped_clock.clock.run_for(LOOK_MS)
    expect(tab.get("#events li").first).to_have_text(re.compile(r"^2 → 1 at"))


def test_a_hidden_page_asks_nothing(open_tab: OpenTab, stopped_clock: BrowserContext, stub: Stub) -> None:
    tab = open_tab(stub, stopped_clock)
    expect(tab.get("#live-replicas")).to_have_text("1 / 1")
    tab.page.evaluate(HIDE, True)
    looks = stub.looks
    stopped_clock.clock.run_for(60_000)
    assert stub.looks == looks
    with tab.page.expect_response("**/live"):
        tab.page.evaluate(HIDE, False)


def test_figures_that_make_no_sense_do_no_harm(open_tab: OpenTab, stub: Stub) -> None:
    stub.live = {"total": {"ready": "<b>", "desired": None, "running": {}, "tokens_per_second": "x"}}
    tab = open_tab(stub)
    expect(tab.get("#live-replicas")).to_have_text("0 / 0")
    expect(tab.get("#live-rate")).to_have_text("0.0")
