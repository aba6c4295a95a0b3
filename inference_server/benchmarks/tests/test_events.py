import json

import pytest

from inference_server.benchmarks.events import Event, EventStream, Surface, read_event


def test_an_event_is_read_however_the_bytes_are_cut() -> None:
    sent = b': waiting\n\ndata: {"content": "a"}\n\ndata: {"content": "\xc3\xa9"}\r\n\r\n'
    for cut in range(len(sent)):
        stream = EventStream()
        assert stream.feed(sent[:cut]) + stream.feed(sent[cut:]) == ['{"content": "a"}', '{"content": "é"}']


@pytest.mark.parametrize(
    ("surface", "data", "event"),
    [
        (Surface.LLAMA_CPP, {"content": " a", "stop": False}, Event(token=True)),
        (Surface.LLAMA_CPP, {"content": "", "stop": False}, Event(token=True)),
        (Surface.LLAMA_CPP, {"content": "", "stop": True}, Event(last=True)),
        (Surface.LLAMA_CPP, {"error": "full"}, Event(problem="full")),
        (Surface.OPENAI, {"choices": [{"text": " a", "finish_reason": None}]}, Event(token=True)),
        (Surface.OPENAI, {"choices": [{"text": "", "finish_reason": "length"}]}, Event(last=True)),
        (
            Surface.OPENAI,
            {"choices": [{"text": "z", "finish_reason": "length"}]},
            Event(token=True, last=True),
        ),
    ],
)
def test_what_an_event_says(surface: Surface, data: object, event: Event) -> None:
    assert read_event(surface, json.dumps(data)) == event


def test_done_says_nothing() -> None:
    assert read_event(Surface.OPENAI, "[DONE]") == Event()
