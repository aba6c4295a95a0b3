"""GET /: the web page, under a content security policy that runs nothing but what the page has inside."""

import base64
import gzip
import hashlib
from functools import lru_cache
from html.parser import HTMLParser
from pathlib import Path

from flask import Blueprint, Response, request
from werkzeug.exceptions import NotFound


def blueprint(folder: Path | None) -> Blueprint:
    """The route; the page is read at each request, so that an edit shows at once.

    Args:
        folder: where index.html is, or None if no folder was found.
    """
    routes = Blueprint("web", __name__)

    @routes.get("/")
    def page() -> Response:
        index = folder / "index.html" if folder else None
        if index is None or not index.is_file():
            raise NotFound("there is no page: set FRONTEND_DIR to the folder that has index.html")
        html = index.read_text(encoding="utf-8")
        response = Response(html, mimetype="text/html")
        if request.accept_encodings["gzip"] > 0:
            response.set_data(_compressed(html))
            response.headers["Content-Encoding"] = "gzip"
        response.headers["Vary"] = "Accept-Encoding"
        response.headers["Content-Security-Policy"] = content_security_policy(html)
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["Referrer-Policy"] = "no-referrer"
        response.headers["Cache-Control"] = "no-cache"
        return response

    return routes


def content_security_policy(html: str) -> str:
    """The strictest policy under which a self-contained page works: its inline blocks are named by their hashes."""
    blocks = _InlineBlocks()
    blocks.feed(html)
    return "; ".join(
        (
            "default-src 'none'",
            f"script-src {_hashes(blocks.contents['script'])}",
            f"style-src {_hashes(blocks.contents['style'])}",
            "connect-src 'self'",
            "img-src 'self' data:",
            "base-uri 'none'",
            "form-action 'none'",
            "frame-ancestors 'none'",
        )
    )


@lru_cache(maxsize=1)
def _compressed(html: str) -> bytes:
    return gzip.compress(html.encode(), mtime=0)


class _InlineBlocks(HTMLParser):
    """Collects the contents of <script> and <style>."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=False)
        self.contents: dict[str, list[str]] = {"script": [], "style": []}
        self._inside: str | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in self.contents and "src" not in dict(attrs):
            self._inside = tag
            self.contents[tag].append("")

    def handle_data(self, data: str) -> None:
        if self._inside:
            self.contents[self._inside][-1] += data

    def handle_endtag(self, tag: str) -> None:
        if tag == self._inside:
            self._inside = None


def _hashes(contents: list[str]) -> str:
    digests = (base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in contents)
    return " ".join(f"'sha256-{digest}'" for digest in digests) or "'none'"
