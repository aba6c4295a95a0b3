"""What agents and libraries send: Cline, aider (through litellm) and LangChain."""

import json
from typing import Any

import pytest

from inference_server.tests.support import ServerProcess

SYSTEM = {"role": "system", "content": "You are a programmer."}
PARTS = [{"type": "text", "text": "<task>add</task>"}, {"type": "text", "text": "# context"}]

CLINE = {
    "model": "coder",
    "messages": [SYSTEM, {"role": "user", "content": PARTS}],
    "temperature": 0,
    "stream": True,
    "stream_options": {"include_usage": True},
    "max_tokens": 16,
}
AIDER = {
    "model": "coder",
    "messages": [
        SYSTEM,
        {"role": "user", "content": "add"},
        {"role": "assistant", "content": "Ok."},
        {"role": "user", "content": "def add(a, b):"},
    ],
    "temperature": 0,
    "stream": True,
    "max_tokens": 16,
    "extra_headers": {"x": "y"},
    "num_ctx": 1024,
}
LANGCHAIN = {
    "model": "coder",
    "messages": [SYSTEM, {"role": "user", "content": "def add(a, b):", "name": None}],
    "n": 1,
    "stop": None,
    "seed": None,
    "logit_bias": None,
    "frequency_penalty": 0.0,
    "presence_penalty": 0.0,
    "top_p": 1,
    "temperature": 0.7,
    "max_completion_tokens": 16,
    "stream": True,
    "stream_options": {"include_usage": True},
    "parallel_tool_calls": None,
}


@pytest.mark.parametrize("body", [CLINE, AIDER, LANGCHAIN], ids=["Cline", "aider", "LangChain"])
def test_an_agents_stream_ends_as_it_expects(server: ServerProcess, body: dict[str, Any]) -> None:
    with server.client.stream("POST", "/v1/chat/completions", json=body) as response:
        assert response.status_code == 200
        assert response.headers["Content-Type"].startswith("text/event-stream")
        lines = [line for line in response.iter_lines() if line and not line.startswith(":")]
    assert lines[-1] == "data: [DONE]"
    chunks = [json.loads(line.removeprefix("data: ")) for line in lines[:-1]]
    reasons = [choice["finish_reason"] for chunk in chunks for choice in chunk["choices"]]
    assert reasons[-1] in ("stop", "length")
    assert set(reasons[:-1]) <= {None}
    if "stream_options" in body:
        assert chunks[-1]["usage"]["total_tokens"] > 0
        assert all(chunk["usage"] is None for chunk in chunks[:-1])
    whole = server.client.post("/v1/chat/completions", json={**body, "stream": False, "stream_options": None})
    assert whole.json()["choices"][0]["message"]["role"] == "assistant"
