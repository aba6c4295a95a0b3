"""Slow, broken and refusing servers: the page says in words what happened, and keeps what had arrived."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, expect

from frontend.tests.conftest import OpenTab, url_of
from frontend.tests.stub import Exchange, Gate, Stub
from inference_server.tests.support import ServerProcess, eventually

REFUSED = "Failed to load resource: the server responded with a status of"


def test_a_slow_stream_shows_that_it_waits_then_each_token(open_tab: OpenTab, stub: Stub) -> None:
    first, second, third = Gate(), Gate(), Gate()

    def slowly(exchange: Exchange) -> None:
        exchange.begin()
        exchange.raw(b": waiting\n\n")
        first.wait()
        exchange.raw(b'data: {"tok')  # an event in two pieces, the second with half a character
        exchange.raw('en": "ä'.encode()[:-1])
        second.wait()
        exchange.raw(b'\xa4"}\n\n')
        third.wait()
        exchange.end()

    tab = open_tab(stub)
    stub.script(slowly)
    tab.ask("slow")
    expect(tab.get("#skeleton")).to_be_visible()
    expect(tab.says).to_have_text("Waiting for the first token")
    expect(tab.get("#output")).to_have_attribute("aria-busy", "true")
    first.open()
    expect(tab.answer).to_be_empty()
    second.open()
    expect(tab.answer).to_have_text("ä")
    expect(tab.get("#skeleton")).to_be_hidden()
    expect(tab.says).to_have_text("Writing…")
    third.open()
    expect(tab.says).to_have_text("Complete.")
    expect(tab.get("#tokens")).to_have_text("7")


def _torn(exchange: Exchange) -> None:
    exchange.tear()


def _ended(exchange: Exchange) -> None:
    exchange.close()


def _unreadable(exchange: Exchange) -> None:
    exchange.raw(b"data: {not json\n\n")


def _failed(exchange: Exchange) -> None:
    exchange.event(error={"message": "the engine tripped", "type": "engine_failed", "field": None})


@pytest.mark.parametrize(
    ("fail", "title", "words"),
    [
        (_torn, "The connection broke", "not complete"),
        (_ended, "The connection broke", "not complete"),
        (_unreadable, "The answer broke off", "cannot be read"),
        (_failed, "The answer broke off", "the engine tripped"),
    ],
)
def test_a_broken_stream_keeps_what_had_arrived(
    open_tab: OpenTab, stub: Stub, fail: Callable[[Exchange], None], title: str, words: str
) -> None:
    seen = Gate()

    def broken(exchange: Exchange) -> None:
        exchange.begin()
        exchange.event(token="x = 1\n")
        seen.wait()
        fail(exchange)

    tab = open_tab(stub)
    tab.expected = ["Failed to load resource: net::ERR_"]
    stub.script(broken, lambda exchange: exchange.answer("x = 2"))
    tab.mode("Chat")
    tab.ask("broken")
    expect(tab.get(".turn .code")).to_have_text("x = 1")
    seen.open()
    expect(tab.notice).to_contain_text(title)
    expect(tab.notice).to_contain_text(words)
    expect(tab.get(".turn .code")).to_have_text("x = 1")
    tab.button("Try again").click()
    tab.finished()
    expect(tab.get(".turn .code").last).to_have_text("x = 2")


def test_busy_is_counted_down_and_tried_again(
    open_tab: OpenTab, stopped_clock: BrowserContext, stub: Stub
) -> None:
    tab = open_tab(stub, stopped_clock)
    tab.expected = [REFUSED]
    stub.script(
        lambda exchange: exchange.refuse(429, "full", {"Retry-After": "2"}),
        lambda exchange: exchange.answer("done"),
    )
    tab.ask("busy")
    expect(tab.notice).to_contain_text("The model is busy")
    expect(tab.notice).to_contain_text("Trying again in 2 s.")
    stopped_clock.clock.run_for(1000)
    expect(tab.notice).to_contain_text("Trying again in 1 s.")
    assert len(stub.asked) == 1
    stopped_clock.clock.run_for(1000)
    tab.finished()
    expect(tab.notice).to_be_hidden()
    assert tab.text() == "done"


def test_a_countdown_can_be_stopped(open_tab: OpenTab, stub: Stub) -> None:
    tab = open_tab(stub)
    tab.expected = [REFUSED]
    stub.script(lambda exchange: exchange.refuse(429, "full", {"Retry-After": "60"}))
    tab.ask("busy")
    expect(tab.notice).to_contain_text("Trying again in")
    tab.page.keyboard.press("Escape")
    expect(tab.says).to_have_text("Stopped.")
    expect(tab.notice).to_be_hidden()
    expect(tab.prompt).to_have_value("busy")
    assert len(stub.asked) == 1


def test_a_full_server_answers_once_there_is_room(open_tab: OpenTab, narrow_server: ServerProcess) -> None:
    holder, other = open_tab(narrow_server), open_tab(narrow_server)
    other.expected = [REFUSED]
    holder.ask("hold the only place")
    expect(holder.answer).not_to_be_empty()
    other.settings(limit=3)
    other.ask("wait for it")
    expect(other.notice).to_contain_text("The model is busy")
    holder.button("Stop").click()
    other.finished()
    assert other.text()


@pytest.mark.parametrize("mode", ["Instruct", "Complete", "Chat"])
def test_too_long_for_the_context_says_by_how_much(
    open_tab: OpenTab, narrow_server: ServerProcess, mode: str
) -> None:
    tab = open_tab(narrow_server)
    tab.expected = [REFUSED]
    tab.mode(mode)
    tab.ask("word " * 200)
    expect(tab.notice).to_contain_text("That is too long for this model")
    expect(tab.notice).to_contain_text(re.compile(r"It has \d+ tokens, .* room for 256\."))
    expect(tab.prompt).to_have_attribute("aria-invalid", "true")
    expect(tab.prompt).to_have_value("word " * 200)


def test_other_refusals_are_said_in_the_servers_words(open_tab: OpenTab, stub: Stub) -> None:
    tab = open_tab(stub)
    tab.expected = [REFUSED]
    stub.script(
        lambda exchange: exchange.refuse(400, "stop: too many", field="stop"),
        lambda exchange: exchange.refuse(403, "not for you"),
        lambda exchange: exchange.refuse(500, "it tripped"),
        lambda exchange: exchange.refuse(503, "the server is loading", {"Retry-After": "60"}),
    )
    for words in ("stop: too many", "not for you", "it tripped", "the server is loading Trying again"):
        tab.ask("x")
        expect(tab.notice).to_contain_text(words)
    tab.page.keyboard.press("Escape")


def test_a_server_that_asks_for_a_key_gets_it(open_tab: OpenTab, stub: Stub) -> None:
    def guarded(exchange: Exchange) -> None:
        if exchange.key == "Bearer sesame":
            exchange.answer("open")
        else:
            exchange.refuse(401, "send an API key")

    stub.info_key, stub.context_length = "Bearer sesame", 2048
    tab = open_tab(stub)
    tab.expected = [REFUSED]
    stub.script(*[guarded] * 5)
    tab.ask("x")
    dialog, key = tab.get("#key-dialog"), tab.page.get_by_label("API key")
    expect(dialog).to_contain_text("send an API key")
    tab.button("Cancel").click()
    expect(tab.notice).to_contain_text("This server asks for a key")
    tab.button("Try again").click()
    expect(key).to_be_focused()
    key.fill("two words")
    key.press("Enter")
    expect(dialog).to_contain_text("no spaces")
    key.fill("wrong")
    key.press("Enter")
    expect(dialog).to_contain_text("did not accept")
    key.fill("sesame")
    key.press("Enter")
    tab.finished()
    assert tab.text() == "open"
    expect(tab.get("#limit")).to_have_attribute("max", "2048")
    assert [exchange.key for exchange in stub.asked] == [None, None, "Bearer wrong", "Bearer sesame"]
    assert "sesame" not in tab.page.evaluate("JSON.stringify(localStorage)")
    tab.page.reload()
    tab.ask("y")
    tab.finished()
    assert stub.asked[-1].key == "Bearer sesame"


def test_the_real_server_takes_the_key(open_tab: OpenTab, guarded_server: ServerProcess) -> None:
    tab = open_tab(guarded_server)
    tab.expected = [REFUSED]
    expect(tab.get("#live-replicas")).to_have_text("1 / 1")
    tab.settings(limit=3)
    tab.ask("x")
    key = tab.page.get_by_label("API key")
    key.fill("sesame")
    key.press("Enter")
    tab.finished()
    expect(tab.get("#replica")).to_have_text("pod-7")
    expect(tab.get("#limit")).to_have_attribute("max", "2048")


def test_without_a_network_the_prompt_is_kept(
    open_tab: OpenTab, new_context: Callable[..., BrowserContext], mock_server: ServerProcess
) -> None:
    context = new_context()
    tab = open_tab(mock_server, context)
    tab.expected = ["Failed to load resource: net::ERR_INTERNET_DISCONNECTED"]
    tab.settings(limit=3)
    context.set_offline(True)
    tab.ask("keep me")
    expect(tab.notice).to_contain_text("You are offline")
    expect(tab.get("#pill")).to_have_text("You are offline")
    context.set_offline(False)
    expect(tab.get("#pill")).to_have_text("Ready · mock")
    tab.button("Try again").click()
    tab.finished()


def test_a_server_that_is_gone_is_said_to_be(open_tab: OpenTab, stub: Stub) -> None:
    tab = open_tab(stub)
    tab.expected = ["Failed to load resource: net::ERR_"]
    expect(tab.get("#live-replicas")).to_have_text("1 / 1")
    tab.page.route("**/*", lambda route: route.abort("connectionrefused"))
    tab.ask("x")
    expect(tab.notice).to_contain_text("The server cannot be reached")
    expect(tab.get("#pill")).to_have_text("Server not reachable")
    expect(tab.get("#live-says")).to_contain_text("the server does not answer")


def test_a_reload_in_the_middle_keeps_prompt_and_answer(
    open_tab: OpenTab, mock_server: ServerProcess
) -> None:
    tab = open_tab(mock_server)
    tab.settings(limit=4000)
    tab.ask("never to end")
    expect(tab.answer).not_to_be_empty()
    before = tab.text()
    tab.page.reload()
    expect(tab.prompt).to_have_value("never to end")
    expect(tab.get("#limit")).to_have_value("4000")
    expect(tab.says).to_have_text("This answer was cut short; what had arrived is kept.")
    assert tab.text().startswith(before)
    eventually(lambda: mock_server.metric("codemodel_requests_running") == 0, "the engine idle")


def test_two_tabs_keep_each_others_conversations(
    open_tab: OpenTab, new_context: Callable[..., BrowserContext], mock_server: ServerProcess
) -> None:
    context = new_context()
    one, two = open_tab(mock_server, context), open_tab(mock_server, context)
    for tab, word in ((one, "alpha"), (two, "beta")):
        tab.settings(limit=30)
        tab.mode("Chat")
        tab.ask(word)
    for tab in (one, two):
        tab.finished()
    # The second tab opens what the first goes on with, and goes on with it, too.
    two.button("History").click()
    two.get("#saved .open", has_text="alpha").click()
    for tab, word in ((one, "gamma"), (two, "delta")):
        tab.ask(word)
        tab.finished()
    one.button("History").click()
    expect(one.get("#saved .open b")).to_have_text(["alpha", "alpha", "beta"])
    kept = one.page.evaluate(
        "Object.values(localStorage).map((text) => JSON.parse(text).turns.map((turn) => turn.content))"
    )
    assert sorted(" ".join(turns[::2]) for turns in kept) == ["alpha delta", "alpha gamma", "beta"]
    assert url_of(mock_server) == one.page.url


def test_strange_and_full_storage_is_survived(
    open_tab: OpenTab, new_context: Callable[..., BrowserContext], mock_server: ServerProcess
) -> None:
    context = new_context()
    context.add_init_script("""
        const strange = ["", "{", "null", "[]", '{"id": 1}',
            '{"id":"x","revision":"y","mode":"__proto__","updated":1,"turns":[]}',
            '{"id":"x","revision":"y","mode":"chat","updated":1,"turns":[{"role":"root","content":"x"}]}'];
        strange.forEach((text, index) => localStorage.setItem(`codemodel.conversation.${index}`, text));
        sessionStorage.setItem("codemodel.tab", '{"mode":"__proto__","drafts":7}');
    """)
    tab = open_tab(mock_server, context)
    tab.settings(limit=3)
    tab.ask("first")
    tab.finished()
    tab.page.evaluate(
        "() => { Storage.prototype.setItem = () => { throw new DOMException('full', 'QuotaExceededError'); }; }"
    )
    tab.ask("second")
    expect(tab.says).to_contain_text("This answer cannot be kept")
    expect(tab.button("Generate")).to_be_visible()
    assert tab.text()
    tab.button("History").click()
    expect(tab.get("#saved li")).to_have_count(1)
