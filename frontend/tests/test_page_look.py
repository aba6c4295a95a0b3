"""How the page looks and feels: screenshots of each state, accessibility, weight, stillness and smoothness."""

import json
from collections.abc import Callable
from functools import partial
from importlib.resources import files
from typing import Any

import pytest
from playwright.sync_api import expect

from frontend.tests.conftest import OpenTab
from frontend.tests.stub import Exchange, Gate, Stub, live
from frontend.tests.tab import ARTIFACTS, Tab
from inference_server.tests.support import ServerProcess

AXE = (files("axe_playwright_python") / "axe.min.js").read_text(encoding="utf-8")
WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
MOST_BYTES = 100 * 1024
CODE = (
    "Two pointers, one loop:\n\n```python\ndef binary_search(items: list[int], wanted: int) -> int | None:\n"
    '    """Return the index of wanted, or None."""\n    low, high = 0, len(items)  # high is past the end\n'
    "    while low < high:\n        middle = (low + high) // 2\n        if items[middle] < wanted:\n"
    "            low = middle + 1\n        else:\n            high = middle\n"
    "    return low if low < len(items) and items[low] == wanted else None\n```\n\nIt takes O(log n) steps.\n"
)
SIZES: dict[str, dict[str, Any]] = {
    "phone": {"viewport": {"width": 390, "height": 844}, "color_scheme": "dark", "has_touch": True},
    "laptop": {"viewport": {"width": 1440, "height": 900}, "color_scheme": "light"},
    "wide": {"viewport": {"width": 1920, "height": 1080}, "color_scheme": "dark"},
}


MOVING = """[...document.querySelectorAll("*")].filter(
    (node) => getComputedStyle(node).animationName !== "none"
).length"""
COUNT_FRAMES = """() => {
    window.frames_seen = [];
    let before = performance.now();
    const frame = (now) => {
        window.frames_seen.push(now - before);
        before = now;
        window.counting = requestAnimationFrame(frame);
    };
    window.counting = requestAnimationFrame(frame);
}"""


def answer_behind(gate: Gate, exchange: Exchange) -> None:
    """Answers once the gate is open."""
    gate.wait()
    exchange.answer("x")


def violations(tab: Tab) -> list[str]:
    """What axe has against the page as it is now."""
    tab.page.evaluate(AXE)
    found = tab.page.evaluate("tags => axe.run(document, {runOnly: tags, resultTypes: ['violations']})", WCAG)
    return [
        f"{rule['id']}: {rule['help']}: {node['html'][:120]} {node['failureSummary'][:200]}"
        for rule in found["violations"]
        for node in rule["nodes"]
    ]


@pytest.mark.parametrize("size", SIZES)
def test_every_state_is_accessible_and_kept_as_a_picture(open_tab: OpenTab, stub: Stub, size: str) -> None:
    tab = open_tab(stub, **SIZES[size])
    tab.expected = ["Failed to load resource"]
    found: list[str] = []

    def look(state: str) -> None:
        ARTIFACTS.mkdir(parents=True, exist_ok=True)
        tab.page.mouse.move(0, 0)
        tab.page.screenshot(
            path=ARTIFACTS / f"{state}-{size}.png", full_page=size == "phone" and "dialog" not in state
        )
        # The wide size has the laptop's layout and the phone's colours.
        if size != "wide":
            found.extend(f"{state}: {problem}" for problem in violations(tab))

    expect(tab.get("#live-replicas")).to_have_text("1 / 1")
    look("01-start")
    waiting, writing = Gate(), Gate()

    def slowly(exchange: Exchange) -> None:
        exchange.begin()
        waiting.wait()
        exchange.event(token=CODE[:300])
        writing.wait()
        exchange.event(token=CODE[300:])
        exchange.end()

    stub.script(slowly)
    tab.get("#examples button").first.click()
    tab.button("Generate").click()
    expect(tab.get("#skeleton")).to_be_visible()
    look("02-waiting")
    waiting.open()
    expect(tab.answer).to_contain_text("low, high")
    look("03-writing")
    writing.open()
    tab.finished()
    look("04-answer")
    tab.mode("Complete")
    tab.get("#examples button").first.click()
    stub.script(
        lambda exchange: exchange.answer(
            "middle = (low + high) // 2\n        if items[middle] == wanted:\n            return middle"
        )
    )
    tab.button("Generate").click()
    tab.finished()
    look("05-complete")
    tab.mode("Chat")
    tab.page.get_by_label("System prompt").fill("Answer briefly, with code.")
    stub.script(*[lambda exchange: exchange.answer(CODE)] * 2)
    for question in ("How do I find an item in a sorted list?", "And if there are many equal ones?"):
        tab.ask(question)
        tab.finished()
    tab.get("summary").click()
    stub.live = live(2, 3)
    expect(tab.get("#events")).to_contain_text("1 → 2")
    look("06-chat-settings-scaling")
    tab.get("summary").click()
    tab.button("History").click()
    look("07-dialog-history")
    tab.button("Close").click()
    tab.button("Share link").click()
    look("08-dialog-link")
    tab.button("Close").click()
    stub.script(lambda exchange: exchange.refuse(401, "send an API key"))
    tab.ask("Who goes there?")
    expect(tab.get("#key-dialog")).to_be_visible()
    look("09-dialog-key")
    tab.button("Cancel").click()
    stub.script(lambda exchange: exchange.refuse(429, "full", {"Retry-After": "60"}))
    tab.button("Generate").click()
    expect(tab.notice).to_contain_text("Trying again in")
    look("10-busy")
    tab.page.keyboard.press("Escape")
    stub.script(
        lambda exchange: exchange.refuse(
            400, "too long", type="prompt_too_long", n_prompt_tokens=5000, n_ctx=4096
        )
    )
    tab.button("Generate").click()
    expect(tab.notice).to_contain_text("5000 tokens")
    look("11-too-long")
    tab.page.route("**/*", lambda route: route.abort("connectionrefused"))
    tab.button("Generate").click()
    expect(tab.notice).to_contain_text("cannot be reached")
    expect(tab.get("#pill")).to_have_text("Server not reachable")
    look("12-unreachable")
    assert found == []
    assert tab.page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "it scrolls sideways"


def test_system_settings_are_respected(open_tab: OpenTab, stub: Stub) -> None:
    backgrounds = set()
    for scheme in ("light", "dark"):
        tab = open_tab(stub, color_scheme=scheme, reduced_motion="reduce")
        backgrounds.add(tab.get(".panel").first.evaluate("node => getComputedStyle(node).backgroundColor"))
        gate = Gate()
        stub.script(partial(answer_behind, gate))
        tab.ask("x")
        expect(tab.get("#skeleton")).to_be_visible()
        assert tab.page.evaluate(MOVING) == 0
        gate.open()
        tab.finished()
    assert len(backgrounds) == 2


@pytest.mark.parametrize("size", SIZES)
def test_little_is_transferred_and_nothing_shifts_after_load(
    open_tab: OpenTab, new_context: Callable[..., Any], mock_server: ServerProcess, size: str
) -> None:
    context = new_context(**SIZES[size])
    context.add_init_script(
        "window.shifts = [];"
        "new PerformanceObserver((list) => window.shifts.push(...list.getEntries().map((it) => it.value)))"
        ".observe({type: 'layout-shift', buffered: true});"
    )
    received: list[int] = []
    context.on("requestfinished", lambda request: received.append(request.sizes()["responseBodySize"]))
    tab = open_tab(mock_server, context)
    expect(tab.get("#live-replicas")).to_have_text("1 / 1")
    expect(tab.get("#replica")).to_have_text("pod-7")
    with tab.page.expect_response("**/live"):
        pass
    assert (
        tab.page.evaluate(
            "new Promise((done) => requestAnimationFrame(() => setTimeout(() => done(window.shifts), 100)))"
        )
        == []
    )
    assert 0 < sum(received) < MOST_BYTES
    assert tab.page.request.get(tab.url).headers["content-encoding"] == "gzip"


@pytest.mark.parametrize("pace", ["flood", "steady"])
def test_ten_thousand_tokens_flow_smoothly(
    open_tab: OpenTab, request: pytest.FixtureRequest, pace: str
) -> None:
    server: ServerProcess = request.getfixturevalue(f"{pace}_server")
    tab = open_tab(server)
    expect(tab.get("#limit")).to_have_attribute("max", "16384")
    tab.settings(limit=10_000)
    tab.page.evaluate(COUNT_FRAMES)
    tab.ask("a long answer")
    tab.finished()
    frames: list[float] = tab.page.evaluate(
        "cancelAnimationFrame(window.counting), window.frames_seen.slice(1)"
    )
    expect(tab.get("#tokens")).to_have_text("10000")
    same = server.chat(prompt="a long answer", max_tokens=10_000, temperature=0.2).json()["response"]
    assert tab.text() == same
    ordered = sorted(frames)
    figures = {
        "tokens": 10_000,
        "nodes": tab.page.evaluate("document.querySelectorAll('#turns *').length"),
        "tokens_per_second": float(tab.get("#rate").inner_text()),
        "frames": len(frames),
        **{f"frame_ms_p{p}": round(ordered[int(len(ordered) * p / 100)], 1) for p in (50, 95, 99)},
        "frame_ms_max": round(ordered[-1], 1),
    }
    ARTIFACTS.mkdir(parents=True, exist_ok=True)
    (ARTIFACTS / f"frames-{pace}.json").write_text(
        json.dumps({**figures, "frame_ms": [round(it, 1) for it in frames]}, indent=1)
    )
    # Generous, for machines that draw without a GPU beside other work: an answer laid out anew with every token
    # takes seconds a frame towards its end.
    assert figures["frame_ms_p95"] < 500, figures
    assert figures["frame_ms_max"] < 3000, figures
