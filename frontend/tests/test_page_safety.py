"""Markup and scripts as prompt, model output, names, link and history are text, and nothing but text."""

import base64
import json
from typing import Any

from playwright.sync_api import expect

from frontend.tests.conftest import OpenTab
from frontend.tests.stub import Stub
from frontend.tests.tab import Tab

ATTACKS = (
    "<script>window.hacked = 1</script>",
    "<img src=x onerror='window.hacked = 1'>",
    "<svg onload=window.hacked=1><a href='javascript:window.hacked=1'>x</a></svg>",
    "</div></pre></textarea><iframe srcdoc='<script>parent.hacked=1</script>'></iframe>",
    "[x](javascript:window.hacked=1) ![x](http://evil.example/x.png)",
    "{{constructor.constructor('window.hacked=1')()}} ${window.hacked=1} <style>*{display:none}</style>",
)
ALL = "\n".join(ATTACKS)
FENCED = f"Text {ATTACKS[1]}\n```<img src=x onerror=window.hacked=1>\n{ALL}\n```\nmore {ATTACKS[0]}\n"
ELEMENTS = "script, img, iframe, object, svg, style, a"


def unharmed(tab: Tab) -> None:
    """Nothing ran, and nothing of it became an element."""
    assert tab.page.evaluate("window.hacked") is None
    assert tab.get(":is(#turns, #saved, #notice, .stats, .live li)").locator(ELEMENTS).count() == 0


def packed(shared: dict[str, Any]) -> str:
    return "#p=" + base64.urlsafe_b64encode(json.dumps(shared).encode()).decode().rstrip("=")


def test_output_prompt_and_names_stay_text(open_tab: OpenTab, stub: Stub) -> None:
    tab = open_tab(stub)
    names = dict.fromkeys(("model", "engine", "replica"), ATTACKS[1])
    for mode in ("Instruct", "Complete", "Chat"):
        tab.mode(mode)
        # Cut in the middle of tags and fences, as tokens may be.
        pieces = [FENCED[start : start + 5] for start in range(0, len(FENCED), 5)]
        stub.script(lambda exchange, pieces=pieces: exchange.answer(*pieces, **names))  # type: ignore[misc]
        tab.ask(ALL)
        tab.finished()
        for attack in ATTACKS:
            expect(tab.answer).to_contain_text(attack)
        expect(tab.get("#model")).to_have_text(ATTACKS[1])
        unharmed(tab)
    tab.page.reload()
    tab.button("History").click()
    expect(tab.get("#saved .open b").first).to_have_text(ATTACKS[0])
    unharmed(tab)


def test_fenced_code_is_shown_and_copied_without_its_fences(open_tab: OpenTab, stub: Stub) -> None:
    tab = open_tab(stub)
    stub.script(
        lambda exchange: exchange.answer("Here it", " is:\n`", "``py", "thon\nx = 1\n``", "`\nDone.\n")
    )
    tab.ask("x")
    tab.finished()
    expect(tab.get(".fenced")).to_have_text("x = 1")
    expect(tab.get(".prose")).to_have_text(["Here it is:", "Done."])
    tab.button("Copy code").click()
    expect(tab.button("Copied")).to_be_visible()
    assert tab.page.evaluate("navigator.clipboard.readText()") == "x = 1\n"


def test_words_texts_and_comments_have_colours(open_tab: OpenTab, stub: Stub) -> None:
    code = '# note\ndef add(a):\n    """Over\n    lines"""\n    return "x\\"y" + 12\n'
    tab = open_tab(stub)
    stub.script(lambda exchange: exchange.answer(*code))
    tab.ask("def f():\n")
    tab.finished()
    assert tab.text() == code
    runs = tab.page.evaluate(
        "[...document.querySelectorAll('#turns span')].map((span) => [span.className, span.textContent.trim()])"
    )
    assert [run for run in runs if run[1]] == [
        ["c", "# note"], ["w", "def"], ["f", "add"], ["t", '"""Over\n    lines"""'], ["w", "return"],
        ["t", '"x\\"y"'], ["n", "12"],
    ]  # fmt: skip


def test_a_link_is_untrusted_text(open_tab: OpenTab, stub: Stub) -> None:
    for mode in ("instruct", "complete", "chat"):
        shared = {"mode": mode, "text": ALL, "system": ALL, "stop": [ALL], "at": "1", "max_tokens": 1e9}
        tab = open_tab(stub, fragment=packed({**shared, "temperature": -5}))
        expect(tab.notice).to_contain_text("Read it before you send it")
        expect(tab.prompt).to_have_value(ALL)
        expect(tab.get("#limit")).to_have_value("4096")
        expect(tab.get("#temperature")).to_have_value("0")
        unharmed(tab)
        assert stub.asked == []
    tab = open_tab(stub, fragment=packed({"mode": "instruct", "text": "safe\u202eton"}))
    expect(tab.notice).to_contain_text("invisible characters")


def test_the_policy_stops_what_gets_in_all_the_same(open_tab: OpenTab, stub: Stub) -> None:
    tab = open_tab(stub)
    tab.expected = [
        "Executing inline",
        "Applying inline style",
        "Loading the image",
        "Connecting to",
        "Refused to",
    ]
    tab.expected += ["Fetch API cannot load", "uncaught", "Framing"]
    tab.page.evaluate(
        """async () => {
            const script = document.createElement("script");
            script.textContent = "window.hacked = 1";
            document.body.append(script);
            const div = document.createElement("div");
            div.innerHTML = "<img src='data:,' onerror='window.hacked = 1'>";
            document.body.append(div);
            await new Promise((resolve) => setTimeout(resolve, 50));
            window.reached = await fetch("http://127.0.0.1:1/").then(() => true, () => false);
        }"""
    )
    assert tab.page.evaluate("[window.hacked, window.reached]") == [None, False]
