"""What is said to Ollama, and what it says: pure translations of its API."""

import json
from typing import Any

from codemodel_server.engines.base import ModelFacts, not_supported
from codemodel_server.engines.events import Finish, FinishReason
from codemodel_server.engines.request import Conversation, GenerationRequest, Infill, Instruction, Plain
from codemodel_server.errors import InvalidRequestError, UpstreamError

_NANOSECONDS = 1e9


def path(request: GenerationRequest) -> str:
    """Where Ollama takes such a request."""
    return "/api/chat" if isinstance(request.reading, Conversation) else "/api/generate"


def body(request: GenerationRequest, model: str, context_length: int) -> dict[str, Any]:
    """What Ollama is asked.

    Raises:
        InvalidRequestError: it cannot be asked for this.
    """
    _refuse(request)
    asked = {
        "model": model,
        **_reading(request),
        "stream": True,
        # Rather an error than a prompt whose beginning is cut off, and rather an end than a forgotten beginning.
        "truncate": False,
        "shift": False,
        "options": _options(request, context_length),
    }
    if request.json_schema is not None:
        try:
            asked["format"] = json.loads(request.json_schema)
        except ValueError:
            raise InvalidRequestError("the JSON schema is not JSON", field="json_schema") from None
    return asked


def parse(line: str) -> dict[str, Any]:
    """A line of an answer.

    Raises:
        UpstreamError: it is no part of an answer, or says that Ollama failed.
    """
    try:
        part = json.loads(line)
    except ValueError as error:
        raise UpstreamError(f"Ollama sent what is not JSON: {line[:80]!r}") from error
    if not isinstance(part, dict):
        raise UpstreamError(f"Ollama sent no JSON object: {line[:80]!r}")
    if "error" in part:
        raise UpstreamError(f"Ollama failed: {part['error']}")
    return part


def text(part: dict[str, Any]) -> str:
    """The text of a part: /api/generate calls it response, /api/chat message."""
    message = part.get("message")
    return str(message.get("content") or "") if isinstance(message, dict) else str(part.get("response") or "")


def finish(part: dict[str, Any], request: GenerationRequest) -> Finish:
    """The end of an answer, from its last part."""
    reads_only = request.max_tokens == 0
    reason: FinishReason = "length" if reads_only or part.get("done_reason") == "length" else "stop"
    return Finish(
        reason,
        int(part.get("prompt_eval_count", 0)),
        0 if reads_only else int(part.get("eval_count", 0)),
        prefill_seconds=part.get("prompt_eval_duration", 0) / _NANOSECONDS,
        decode_seconds=part.get("eval_duration", 0) / _NANOSECONDS,
    )


def facts(shown: dict[str, Any]) -> ModelFacts:
    """What /api/show says about a model."""
    details, info = shown.get("details") or {}, shown.get("model_info") or {}
    architecture = str(info.get("general.architecture", ""))
    words = (details.get("family"), details.get("parameter_size"), details.get("quantization_level"))
    return ModelFacts(
        description=" ".join(str(word) for word in words if word),
        trained_context=int(info.get(f"{architecture}.context_length", 0)),
        embedding=int(info.get(f"{architecture}.embedding_length", 0)),
        parameters=int(info.get("general.parameter_count", 0)),
        infill="insert" in (shown.get("capabilities") or ()),
    )


def _refuse(request: GenerationRequest) -> None:
    asked = {
        "a grammar": request.grammar is not None,
        "the probability of tokens (logprobs)": request.logprobs is not None,
        "logit_bias": bool(request.sampling.logit_bias),
        "ignore_eos": request.sampling.ignore_eos,
        "a prompt of tokens": isinstance(request.reading, Plain)
        and not isinstance(request.reading.content, str),
    }
    for what, wanted in asked.items():
        if wanted:
            raise not_supported("ollama", what)


def _reading(request: GenerationRequest) -> dict[str, Any]:
    match request.reading:
        case Conversation(messages):
            return {"messages": [{"role": turn.role, "content": turn.content} for turn in messages]}
        case Instruction(prompt):
            return {"prompt": prompt}
        case Plain(content):
            return {"prompt": content, "raw": True}
        case Infill(prefix, suffix, extra, prompt):
            context = "".join(f"{one.filename}\n{one.text}\n" for one in extra)
            before = context + prefix + prompt
            # Ollama takes an empty suffix for none, and would put its chat template around the prefix.
            return {"prompt": before, "suffix": suffix} if suffix else {"prompt": before, "raw": True}


def _options(request: GenerationRequest, context_length: int) -> dict[str, Any]:
    sampling = request.sampling
    options: dict[str, Any] = {
        "num_ctx": context_length,
        # -1 is without limit; 0 would be, too.
        "num_predict": -1 if request.max_tokens is None else max(1, request.max_tokens),
        "temperature": sampling.temperature,
        "top_p": sampling.top_p,
        "top_k": sampling.top_k,
        "min_p": sampling.min_p,
        "repeat_penalty": sampling.repeat_penalty,
        "repeat_last_n": sampling.repeat_last_n,
        "presence_penalty": sampling.presence_penalty,
        "frequency_penalty": sampling.frequency_penalty,
        "stop": list(request.stop),
    }
    return options if sampling.seed is None else {**options, "seed": sampling.seed}
