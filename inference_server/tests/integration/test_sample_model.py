"""Real text from llama.cpp over HTTP, with the sample model."""

import json

from inference_server.tests.support import ServerProcess, eventually

RUNNING, GENERATED = "codemodel_requests_running", "codemodel_generated_tokens_total"
CONTEXT = 1024  # of sample_server
LONG = 1000


def test_the_same_seed_gives_the_same_text(sample_server: ServerProcess) -> None:
    bodies = [
        {"prompt": "def add(a, b):", "max_tokens": 24, "temperature": 1.0, "seed": seed} for seed in (1, 1, 2)
    ]
    first, again, other = (sample_server.chat(**body).json() for body in bodies)
    assert first["response"].isascii()
    assert first["response"] == again["response"] != other["response"]
    assert first["usage"]["completion_tokens"] == 24
    assert first["engine"] == "llama-cpp"


def test_a_stream_is_the_whole_answer(sample_server: ServerProcess) -> None:
    body = {"prompt": "class Stack:", "max_tokens": 24, "temperature": 0}
    # Whoever comes first has the prompt read, and sums of another number of rows are rounded in another way: of these
    # random weights' tokens, some are as good as equally likely.
    sample_server.chat(**body)
    with sample_server.stream(**body) as stream:
        *tokens, last = stream.events()
    assert "".join(event["token"] for event in tokens) == sample_server.chat(**body).json()["response"]
    assert last["finish_reason"] == "length"


def test_a_stop_text_across_tokens_ends_the_answer(sample_server: ServerProcess) -> None:
    body = {"prompt": "class Stack:", "max_tokens": 24, "temperature": 0}
    whole = sample_server.chat(**body).json()["response"]
    stop = whole[10:22]
    answer = sample_server.chat(**body, stop=["never to be seen", stop]).json()
    assert answer["response"] == whole[: whole.index(stop)]
    assert answer["finish_reason"] == "stop"


def test_an_answer_ends_where_the_context_ends(sample_server: ServerProcess) -> None:
    answer = sample_server.chat(prompt="x = 1\n" * 250, max_tokens=LONG).json()
    assert answer["usage"]["prompt_tokens"] + answer["usage"]["completion_tokens"] == CONTEXT
    assert answer["finish_reason"] == "length"


def test_a_prompt_longer_than_the_context_is_refused(sample_server: ServerProcess) -> None:
    answer = sample_server.chat(prompt="x = 1\n" * 500)
    assert answer.status_code == 400
    assert str(CONTEXT) in answer.json()["error"]["message"]


def test_a_temperature_next_to_nothing_is_as_good_as_none(sample_server: ServerProcess) -> None:
    for temperature in (1e-5, 1e-40, 1e-300):
        texts = [
            sample_server.chat(prompt="x", max_tokens=8, temperature=value).json()["response"]
            for value in (temperature, 0)
        ]
        assert texts[0] == texts[1]


def test_any_text_is_a_prompt(sample_server: ServerProcess) -> None:
    for prompt in ("\0", "名前 = 'žluťoučký' # 🐍", "<|im_end|>", "\n" * 300, "a" * 900):
        assert sample_server.chat(prompt=prompt, max_tokens=2).status_code == 200


def test_leaving_a_stream_stops_the_generation(sample_server: ServerProcess) -> None:
    with sample_server.stream(prompt="a", max_tokens=LONG) as stream:
        assert "token" in next(stream.events())
    eventually(lambda: sample_server.metric(RUNNING) == 0, "the engine idle")
    stopped_at = sample_server.metric(GENERATED)
    sample_server.chat(prompt="a", max_tokens=1)
    assert sample_server.metric(GENERATED) == stopped_at + 1


def test_leaving_without_a_stream_stops_the_generation(sample_server: ServerProcess) -> None:
    generated = sample_server.metric(GENERATED)
    body = json.dumps({"prompt": "a", "max_tokens": LONG})
    with sample_server.connection() as connection:
        connection.request("POST", "/chat", body, {"Content-Type": "application/json"})
        eventually(lambda: sample_server.metric(GENERATED) > generated, "generating")
    eventually(lambda: sample_server.metric(RUNNING) == 0, "the engine idle")
    assert sample_server.metric(GENERATED) < generated + LONG
