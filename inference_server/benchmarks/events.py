"""Server-sent events: what the servers stream, taken apart."""

import json
from dataclasses import dataclass
from enum import Enum


class Surface(Enum):
    """The two forms of streams: llama.cpp's own, and OpenAI's."""

    LLAMA_CPP = "/completion"
    OPENAI = "/v1/completions"


@dataclass(frozen=True, slots=True)
class Event:
    """One event of a stream.

    Attributes:
        token: whether it brings one.
        last: whether the answer is complete with it.
        problem: the server's error, if it is one.
    """

    token: bool = False
    last: bool = False
    problem: str = ""


class EventStream:
    """Cuts a byte stream into the data of its events, however it is cut itself."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, received: bytes) -> list[str]:
        """The data of the events that are complete with these bytes; comments and other fields are left out."""
        *lines, self._rest = (self._rest + received).split(b"\n")
        return [text[5:].strip().decode() for text in lines if text.startswith(b"data:")]


def read_event(surface: Surface, data: str) -> Event:
    """What the data of one event say; OpenAI's [DONE] says nothing, as the end was said before it."""
    if data == "[DONE]":
        return Event()
    event = json.loads(data)
    if "error" in event:
        return Event(problem=str(event["error"]))
    if surface is Surface.LLAMA_CPP:
        last = bool(event.get("stop"))
        return Event(token=not last or bool(event["content"]), last=last)
    last = any(choice.get("finish_reason") for choice in event["choices"])
    text = "".join(choice.get("text") or "" for choice in event["choices"])
    return Event(token=not last or bool(text), last=last)
