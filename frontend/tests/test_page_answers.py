"""An answer as it arrives, against the mock engine."""

import re

from playwright.sync_api import expect

from frontend.tests.conftest import OpenTab
from inference_server.tests.support import ServerProcess, eventually

EXAMPLES = 6


def test_an_answer_streams_and_its_figures_are_the_servers(
    open_tab: OpenTab, mock_server: ServerProcess
) -> None:
    tab = open_tab(mock_server)
    expect(tab.get("#pill")).to_have_text("Ready · mock")
    tab.settings(limit=40)
    generated = mock_server.metric("codemodel_generated_tokens_total")
    tab.ask("def add(a, b):")
    expect(tab.answer).not_to_be_empty()
    tab.finished()
    assert mock_server.metric("codemodel_generated_tokens_total") == generated + 40
    expect(tab.says).to_have_text("Stopped at the limit of 40 tokens.")
    expect(tab.get("#tokens")).to_have_text("40")
    expect(tab.get("#tokens-more")).to_have_text("prompt 10")
    for field, value in (("model", "mock"), ("engine", "mock"), ("replica", "pod-7")):
        expect(tab.get(f"#{field}")).to_have_text(value)
    for field in ("ttft", "latency"):
        expect(tab.get(f"#{field}")).to_have_text(re.compile(r"^[\d.]+ m?s$"))
        expect(tab.get(f"#{field}-more")).to_have_text(re.compile(r"^server [\d.]+ m?s$"))
    # 100 tokens a second is asked of the engine; a busy machine only makes it slower.
    assert 0 < float(tab.get("#rate").inner_text()) < 150
    same = mock_server.chat(prompt="def add(a, b):", max_tokens=40, temperature=0.2).json()["response"]
    assert tab.text() == same


def test_six_examples_fill_the_prompt_in_every_mode(open_tab: OpenTab, mock_server: ServerProcess) -> None:
    tab = open_tab(mock_server)
    for mode in ("Instruct", "Complete", "Chat"):
        tab.mode(mode)
        examples = tab.get("#examples button")
        expect(examples).to_have_count(EXAMPLES)
        seen = set()
        for index in range(EXAMPLES):
            examples.nth(index).click()
            expect(tab.prompt).to_be_focused()
            seen.add(tab.prompt.input_value())
        assert len(seen) == EXAMPLES
        assert not any("‸" in text for text in seen)


def test_stop_ends_the_answer_here_and_on_the_server(open_tab: OpenTab, mock_server: ServerProcess) -> None:
    tab = open_tab(mock_server)
    tab.settings(limit=4000)
    for by_key in (False, True):
        tab.ask("for ever")
        expect(tab.answer).not_to_be_empty()
        if by_key:
            tab.page.keyboard.press("Escape")
        else:
            tab.button("Stop").click()
        expect(tab.says).to_have_text("Stopped. What had arrived is kept.")
        eventually(lambda: mock_server.metric("codemodel_requests_running") == 0, "the engine idle")
        assert tab.text()
        expect(tab.button("Generate")).to_be_visible()


def test_copy_takes_the_answer(open_tab: OpenTab, mock_server: ServerProcess) -> None:
    tab = open_tab(mock_server)
    expect(tab.button("Copy code")).to_be_disabled()
    tab.settings(limit=20)
    tab.ask("copy me")
    tab.finished()
    tab.button("Copy code").click()
    expect(tab.button("Copied")).to_be_visible()
    assert tab.page.evaluate("navigator.clipboard.readText()") == tab.text()


def test_an_empty_prompt_is_not_sent(open_tab: OpenTab, mock_server: ServerProcess) -> None:
    tab = open_tab(mock_server)
    tab.button("Generate").click()
    expect(tab.notice).to_contain_text("There is no prompt yet")
    expect(tab.prompt).to_be_focused()
    expect(tab.prompt).to_have_attribute("aria-invalid", "true")


def test_settings_are_sent_and_kept_within_their_bounds(
    open_tab: OpenTab, mock_server: ServerProcess
) -> None:
    tab = open_tab(mock_server)
    expect(tab.get("#limit")).to_have_attribute("max", "4096")
    for field, typed, kept in (
        ("limit", "99999", "4096"), ("limit", "0", "1"), ("limit", "", "256"), ("limit", "12.4", "12"),
        ("temperature", "9", "2"), ("temperature", "-1", "0"), ("temperature", "", "0.2"),
    ):  # fmt: skip
        tab.settings(**{field: typed})
        expect(tab.get(f"#{field}")).to_have_value(kept)
    tab.settings(limit=30, temperature=0.7, stops=")\n\\n\\n")
    with tab.page.expect_request("**/chat") as sent:
        tab.ask("bounds")
    assert sent.value.post_data_json == {
        "prompt": "bounds", "max_tokens": 30, "temperature": 0.7, "stop": [")", "\n\n"], "stream": True,
    }  # fmt: skip
    tab.finished()
    assert ")" not in tab.text()


def test_everything_is_done_by_keys_in_a_sensible_order(
    open_tab: OpenTab, mock_server: ServerProcess
) -> None:
    tab = open_tab(mock_server)
    order = []
    for _ in range(16):
        tab.page.keyboard.press("Tab")
        order.append(tab.page.evaluate("document.activeElement.id || document.activeElement.tagName"))
    assert order[:4] == ["share", "clear", "INPUT", "prompt"]
    assert order[4:11] == ["BUTTON"] * EXAMPLES + ["SUMMARY"]
    assert order[11:16] == ["generate", "history", "output", "events", "A"]
    tab.get("input[value=instruct]").focus()
    tab.page.keyboard.press("ArrowRight")
    expect(tab.get("#prompt-label")).to_have_text("Code")
    tab.page.keyboard.press("Tab")
    tab.page.keyboard.type("x = ")
    tab.settings(limit=5)
    tab.button("Generate").focus()
    tab.page.keyboard.press("Enter")
    tab.finished()
    expect(tab.button("Generate")).to_be_focused()
