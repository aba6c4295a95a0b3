"""The HTTP API, as a client of the inference service uses it."""

import json
from typing import Any

import httpx

from e2e.waiting import until

TIMEOUT_SECONDS = 30

# A connection made just when the only pod has ended, before kube-proxy knows, goes nowhere and is never refused.
_TRY_SECONDS = 5


def until_it_answers(url: str) -> None:
    """POST /chat again and again, five seconds for each, until there is an answer.

    Raises:
        AssertionError: none came within 20 seconds.
    """
    until(lambda: ask(url, timeout=_TRY_SECONDS), what="an answer", seconds=20, despite=(httpx.HTTPError,))


def ask(
    url: str,
    prompt: str = "def add(a, b):",
    *,
    key: str | None = None,
    timeout: float = TIMEOUT_SECONDS,
    **more: Any,
) -> dict[str, Any]:
    """POST /chat, with an API key if one is given, and return the answer, waited for at most ``timeout`` seconds.

    Raises:
        httpx.HTTPError: no answer, or one that is not 2xx.
    """
    headers = {} if key is None else {"Authorization": f"Bearer {key}"}
    body = {"prompt": prompt, "max_tokens": 16, **more}
    response = httpx.post(f"{url}/chat", json=body, headers=headers, timeout=timeout)
    response.raise_for_status()
    return dict(response.json())


def stream(url: str, prompt: str = "def add(a, b):", **more: Any) -> list[dict[str, Any]]:
    """POST /chat with streaming and return the events in order.

    Raises:
        httpx.HTTPError: no answer, one that is not 2xx, or one that broke off.
    """
    body = {"prompt": prompt, "max_tokens": 16, "stream": True, **more}
    with httpx.stream("POST", f"{url}/chat", json=body, timeout=TIMEOUT_SECONDS) as response:
        response.raise_for_status()
        lines = [line for line in response.iter_lines() if line.startswith("data:")]
    return [json.loads(line.removeprefix("data:")) for line in lines]


def info(url: str) -> dict[str, Any]:
    """GET /info.

    Raises:
        httpx.HTTPError: no answer, or one that is not 2xx.
    """
    return _get(f"{url}/info")


def live(url: str) -> dict[str, Any]:
    """GET /live: what all replicas do, as one of them tells it.

    Raises:
        httpx.HTTPError: no answer, or one that is not 2xx.
    """
    return _get(f"{url}/live")


def _get(url: str) -> dict[str, Any]:
    response = httpx.get(url, timeout=TIMEOUT_SECONDS)
    response.raise_for_status()
    return dict(response.json())
