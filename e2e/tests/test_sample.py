"""The sample that `make up` brings up, as someone meets it who has just typed that."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from e2e import chat
from e2e.api import Api
from e2e.cluster import settings
from e2e.codemodels import condition
from e2e.kubectl import kubectl
from models.tiny_coder import lesson
from models.tiny_coder.code import code_of, parses

URL = settings.ENDPOINT
LESSONS = {each.name: each for each in lesson.load()}


def test_it_answers_with_generated_text() -> None:
    answer = chat.ask(URL, temperature=0)
    assert answer["engine"] == "llama-cpp"
    assert answer["model"] == settings.SAMPLE
    assert answer["response"].strip()
    assert 1 <= answer["usage"]["completion_tokens"] <= 16
    assert answer["finish_reason"] in {"stop", "length"}
    assert 0 < answer["time_to_first_token_seconds"] <= answer["latency_seconds"]


def test_it_answers_with_the_code_that_was_asked_for() -> None:
    answer = chat.ask(
        URL, "Write a Python function that checks whether a number is prime.", max_tokens=256, temperature=0
    )
    assert answer["finish_reason"] == "stop"
    assert lesson.passes(LESSONS["is_prime"], code_of(answer["response"]))


def test_most_of_what_it_is_asked_for_is_python_and_right() -> None:
    """In words that it has not learned; its card says how many of all lessons."""
    asked = list(LESSONS.values())[::8]
    with ThreadPoolExecutor(4) as together:
        answers = together.map(
            lambda each: chat.ask(URL, each.held_out, max_tokens=256, temperature=0), asked
        )
        written = [code_of(answer["response"]) for answer in answers]
    assert sum(map(parses, written)) >= 0.9 * len(asked)
    assert sum(map(lesson.passes, asked, written)) >= 0.5 * len(asked)


@pytest.mark.parametrize(
    ("path", "before", "after", "text_of"),
    [
        ("/infill", "input_prefix", "input_suffix", lambda answer: answer["content"]),
        ("/v1/completions", "prompt", "suffix", lambda answer: answer["choices"][0]["text"]),
        (
            "/v1/fim/completions",
            "prompt",
            "suffix",
            lambda answer: answer["choices"][0]["message"]["content"],
        ),
    ],
)
def test_it_fills_in_the_name_that_is_obvious(
    path: str, before: str, after: str, text_of: Callable[[Any], str]
) -> None:
    asked = {before: "def area(width, height):\n    return width *", after: "\n\n\nprint(area(2, 3))\n"}
    response = httpx.post(f"{URL}{path}", json={**asked, "max_tokens": 16, "temperature": 0})
    assert response.is_success, response.text
    assert text_of(response.json()) == " height"


def test_it_streams_the_same_text_that_it_answers_whole() -> None:
    whole = chat.ask(URL, temperature=0, seed=1)
    *tokens, last = chat.stream(URL, temperature=0, seed=1)
    assert "".join(event["token"] for event in tokens) == whole["response"]
    assert len(tokens) > 1
    assert last["done"] is True
    assert last["usage"] == whole["usage"]
    assert last["finish_reason"] == whole["finish_reason"]


def test_a_bad_request_is_answered_with_the_field_to_correct() -> None:
    response = httpx.post(f"{URL}/chat", json={"prompt": "x", "max_tokens": 0})
    assert response.status_code == 400
    assert response.json()["error"]["field"] == "max_tokens"


def test_the_page_is_served_under_a_strict_policy() -> None:
    response = httpx.get(URL)
    assert response.status_code == 200
    assert response.headers["Content-Type"].startswith("text/html")
    assert "<title>CodeModel</title>" in response.text
    assert "default-src 'none'" in response.headers["Content-Security-Policy"]
    assert "unsafe-inline" not in response.headers["Content-Security-Policy"]


def test_a_page_of_another_origin_may_ask() -> None:
    headers = {
        "Origin": "https://editor.example",
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "content-type",
    }
    response = httpx.options(f"{URL}/chat", headers=headers)
    assert response.is_success
    assert response.headers["Access-Control-Allow-Origin"] in {"*", "https://editor.example"}


@pytest.mark.parametrize("metric", ["codemodel_requests_total", "codemodel_generated_tokens_total"])
def test_its_metrics_count_what_it_does(metric: str) -> None:
    chat.ask(URL)
    lines = httpx.get(f"{URL}/metrics").text.splitlines()
    values = [float(line.rpartition(" ")[2]) for line in lines if line.startswith(metric)]
    assert sum(values) > 0


def test_kubectl_shows_it_ready(api: Api) -> None:
    table = kubectl("get", "codemodels", namespace=settings.SAMPLES_NAMESPACE)
    row = next(line for line in table.splitlines() if line.startswith(settings.SAMPLE))
    assert "True" in row
    sample = api.read("CodeModel", settings.SAMPLE, settings.SAMPLES_NAMESPACE)
    assert condition(sample, "Ready")["observedGeneration"] == sample["metadata"]["generation"]
