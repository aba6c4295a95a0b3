"""From bytes of tokens to text that can be sent: whole characters, and never a part of a stop text."""

import codecs
from collections.abc import Sequence


class TextStream:
    """Joins token bytes into characters and watches for stop texts.

    A token may end inside a UTF-8 character, and a stop text may begin in one token and end in another: what may
    still become either is held back until it is decided.

    Attributes:
        stop_text: the stop text that came, if one did.
    """

    def __init__(self, stop: Sequence[str]) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
        self._stop = tuple(stop)
        self._held = ""
        self.stop_text: str | None = None

    @property
    def stopped(self) -> bool:
        """Whether a stop text came."""
        return self.stop_text is not None

    def feed(self, piece: bytes) -> str:
        """Adds a token's bytes; returns the text that is certain now, possibly none."""
        return self._advance(self._decoder.decode(piece))

    def flush(self) -> str:
        """Returns what was held back; call it once, after the last token."""
        certain = self._advance(self._decoder.decode(b"", final=True))
        rest, self._held = self._held, ""
        return certain if self.stopped else certain + rest

    def _advance(self, new: str) -> str:
        if self.stopped:
            return ""
        text = self._held + new
        hits = [(at, stop) for stop in self._stop if (at := text.find(stop)) >= 0]
        if hits:
            at, self.stop_text = min(hits)
            self._held = ""
            return text[:at]
        keep = max((_overlap(text, stop) for stop in self._stop), default=0)
        self._held = text[len(text) - keep :]
        return text[: len(text) - keep]


def _overlap(text: str, stop: str) -> int:
    """The length of the longest end of `text` that is a beginning of `stop`."""
    return next((n for n in range(min(len(text), len(stop) - 1), 0, -1) if text.endswith(stop[:n])), 0)
