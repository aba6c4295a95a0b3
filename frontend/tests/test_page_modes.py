"""Fill-in, chat and links, against both engines."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Request, expect

from frontend.tests.conftest import OpenTab
from frontend.tests.tab import Tab
from inference_server.tests.support import ServerProcess

BEFORE, AFTER = "def add(a, b):\n    ", "\n\nprint(add(1, 2))\n"


@pytest.fixture(params=["mock_server", "llama_server"])
def server(request: pytest.FixtureRequest) -> ServerProcess:
    """Both engines."""
    found: ServerProcess = request.getfixturevalue(request.param)
    return found


def sent_by(tab: Tab, text: str) -> Any:
    """The body that a prompt is sent as."""
    with tab.page.expect_request("**/chat") as sent:
        tab.ask(text)
    request: Request = sent.value
    return request.post_data_json


def test_the_engine_answers_an_instruction(open_tab: OpenTab, server: ServerProcess) -> None:
    tab = open_tab(server)
    tab.settings(limit=16, temperature=0)
    tab.ask("def add(a, b):")
    tab.finished()
    expect(tab.get("#engine")).to_have_text(server.client.get("/info").json()["engine"])
    same = server.chat(prompt="def add(a, b):", max_tokens=16, temperature=0).json()
    assert tab.text() == same["response"]
    expect(tab.get("#tokens")).to_have_text(str(same["usage"]["completion_tokens"]))


def test_the_model_fills_in_at_the_cursor(open_tab: OpenTab, server: ServerProcess) -> None:
    tab = open_tab(server)
    tab.settings(limit=12, temperature=0)
    tab.mode("Complete")
    tab.prompt.fill(BEFORE + AFTER)
    tab.prompt.evaluate("(area, at) => area.setSelectionRange(at, at)", len(BEFORE))
    expect(tab.get("#hint")).to_have_text("The model fills in at the cursor: line 2, column 5.")
    with tab.page.expect_request("**/chat") as sent:
        tab.prompt.press("Control+Enter")
    body: Any = sent.value.post_data_json
    assert (body["prompt"], body["suffix"]) == (BEFORE, AFTER)
    tab.finished()
    filled = server.chat(prompt=BEFORE, suffix=AFTER, max_tokens=12, temperature=0).json()["response"]
    assert tab.text() == BEFORE + filled + AFTER
    tab.button("Copy code").click()
    expect(tab.button("Copied")).to_be_visible()
    assert tab.page.evaluate("navigator.clipboard.readText()") == filled
    tab.button("Insert").click()
    expect(tab.prompt).to_have_value(BEFORE + filled + AFTER)
    assert tab.prompt.evaluate("area => area.selectionStart") == len(BEFORE + filled)


def test_chat_sends_the_system_prompt_and_all_turns(open_tab: OpenTab, server: ServerProcess) -> None:
    tab = open_tab(server)
    tab.settings(limit=8)
    tab.mode("Chat")
    tab.page.get_by_label("System prompt").fill("Answer with code.")
    assert sent_by(tab, "one")["messages"] == [
        {"role": "system", "content": "Answer with code."},
        {"role": "user", "content": "one"},
    ]
    tab.finished()
    expect(tab.prompt).to_have_value("")
    first = tab.get(".turn .code").text_content()
    messages = sent_by(tab, "two")["messages"]
    assert [turn["role"] for turn in messages] == ["system", "user", "assistant", "user"]
    assert messages[2]["content"] == first
    tab.finished()
    expect(tab.get(".turn")).to_have_count(4)
    tab.button("New chat").click()
    expect(tab.get(".turn")).to_have_count(0)
    assert len(sent_by(tab, "three")["messages"]) == 2
    tab.finished()


def test_a_link_brings_the_prompt_and_sends_nothing(open_tab: OpenTab, mock_server: ServerProcess) -> None:
    tab = open_tab(mock_server)
    tab.mode("Complete")
    tab.settings(limit=7, temperature=1.5, stops="\\n")
    tab.prompt.fill("naïve = '🐍'\n")
    tab.prompt.evaluate("area => area.setSelectionRange(3, 3)")
    tab.button("Share link").click()
    tab.button("Copy link").click()
    expect(tab.button("Copied")).to_be_visible()
    link = tab.page.evaluate("navigator.clipboard.readText()")
    asked: list[str] = []
    other = open_tab(mock_server)
    other.page.on("request", lambda request: asked.append(f"{request.method} {request.url}"))
    other.page.goto("about:blank")
    other.page.goto(link)
    expect(other.notice).to_contain_text("This prompt came with a link")
    expect(other.prompt).to_have_value("naïve = '🐍'\n")
    expect(other.get("#hint")).to_contain_text("line 1, column 4")
    expect(other.get("#limit")).to_have_value("7")
    expect(other.get("#temperature")).to_have_value("1.5")
    expect(other.get("#stops")).to_have_value("\\n")
    assert "#" not in other.page.url
    assert not any("/chat" in request for request in asked)


@pytest.mark.parametrize(
    "packed", ["", "%%%", "AAAA", "e30", "bnVsbA", "eyJtb2RlIjoiX19wcm90b19fIiwidGV4dCI6IngifQ"]
)
def test_a_damaged_link_says_so(open_tab: OpenTab, mock_server: ServerProcess, packed: str) -> None:
    tab = open_tab(mock_server, fragment=f"#p={packed}")
    expect(tab.notice).to_contain_text("This link is damaged")
    expect(tab.prompt).to_have_value("")


def test_conversations_are_kept_opened_exported_and_deleted(
    open_tab: OpenTab, mock_server: ServerProcess, tmp_path: Path
) -> None:
    tab = open_tab(mock_server)
    tab.settings(limit=5)
    tab.ask("first prompt")
    tab.finished()
    first = tab.text()
    tab.mode("Chat")
    tab.ask("# a chat ```")
    tab.finished()
    tab.page.reload()
    expect(tab.get(".mine")).to_have_text("# a chat ```")
    tab.button("History").click()
    expect(tab.get("#saved .open b")).to_have_text(["# a chat ```", "first prompt"])
    for name, file in (("Export JSON", "codemodel.json"), ("Export Markdown", "codemodel.md")):
        with tab.page.expect_download() as download:
            tab.button(name).click()
        assert download.value.suggested_filename == file
        download.value.save_as(tmp_path / file)
    exported = json.loads((tmp_path / "codemodel.json").read_text())["conversations"]
    assert exported[1]["turns"] == [
        {"role": "user", "content": "first prompt"},
        {"role": "assistant", "content": first},
    ]
    markdown = (tmp_path / "codemodel.md").read_text()
    assert "````\n# a chat ```\n````" in markdown
    assert first in markdown
    tab.get("#saved .open").nth(1).click()
    expect(tab.prompt).to_have_value("first prompt")
    assert tab.text() == first
    tab.button("History").click()
    tab.button("Delete first prompt").click()
    expect(tab.get("#saved li")).to_have_count(1)
    expect(tab.get("#saved")).not_to_contain_text(re.compile("first"))
