"""The page as a user has it, in one tab: what is on it by name, and a watch over what must never happen."""

import re
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import BrowserContext, ConsoleMessage, Locator, Request, expect

ARTIFACTS = Path(__file__).parents[2] / "artifacts" / "frontend"


class Tab:
    """A tab with the page.

    Attributes:
        expected: beginnings of console errors that the test provokes; all others fail it.
    """

    def __init__(self, context: BrowserContext, url: str, fragment: str = "") -> None:
        self.url = url
        self.context = context
        self.expected: list[str] = []
        self._faults: list[str] = []
        self.page = context.new_page()
        self.page.on("console", self._console)
        self.page.on("pageerror", lambda error: self._faults.append(f"uncaught: {error}"))
        self.page.on("request", self._request)
        self.page.goto(url + fragment)

    def _console(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            self._faults.append(message.text)

    def _request(self, request: Request) -> None:
        asked = urlsplit(request.url)
        if asked.scheme not in {"data", "blob"} and asked.netloc != urlsplit(self.url).netloc:
            self._faults.append(f"a request to another origin: {request.url}")

    def faults(self) -> list[str]:
        """Console errors, uncaught errors and requests to other origins that no test asked for."""
        return [fault for fault in self._faults if not fault.startswith(tuple(self.expected))]

    def get(self, selector: str, has_text: str | None = None) -> Locator:
        return self.page.locator(selector, has_text=has_text)

    @property
    def prompt(self) -> Locator:
        return self.get("#prompt")

    @property
    def answer(self) -> Locator:
        return self.get("#turns")

    @property
    def says(self) -> Locator:
        return self.get("#says")

    @property
    def notice(self) -> Locator:
        return self.get("#notice")

    def button(self, name: str) -> Locator:
        return self.page.get_by_role("button", name=name, exact=True)

    def mode(self, name: str) -> None:
        self.page.get_by_role("radio", name=name).check()

    def settings(self, **values: Any) -> None:
        """Sets fields of the settings, by their ids."""
        if self.get("#settings").get_attribute("open") is None:
            self.get("summary").click()
        for name, value in values.items():
            self.get(f"#{name}").fill(str(value))
            self.get(f"#{name}").blur()

    def ask(self, text: str) -> None:
        """Types a prompt and sends it by key."""
        self.prompt.fill(text)
        self.prompt.press("Control+Enter")

    def finished(self) -> None:
        """Waits for the end of an answer."""
        expect(self.says).to_have_text(re.compile(r"^(Complete\.|Stopped at the limit)"))

    def text(self) -> str:
        """The answer as the page shows it."""
        return self.answer.text_content() or ""
