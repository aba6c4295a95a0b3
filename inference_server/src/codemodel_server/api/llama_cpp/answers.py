"""What answers to /completion and /infill look like, whole and in a stream."""

from collections.abc import Iterator, Sequence
from typing import Any

from flask import Response, jsonify

from codemodel_server.api.llama_cpp.schemas import GenerationFields
from codemodel_server.api.running import WAITING, Answer, Running, event_of, stream, whole
from codemodel_server.engines.events import Candidate, Finish, Text, Token, Waiting
from codemodel_server.engines.request import GenerationRequest, Sampling
from codemodel_server.service import Job, Service

Json = dict[str, Any]
# JSON has no minus infinity: the smallest number of 32 bits, as llama.cpp writes it.
_LEAST = -3.4028234663852886e38
# No sequence belongs to a client, so there is none to name.
_NO_SLOT = -1


def answer(
    service: Service, requests: Sequence[GenerationRequest], asked: GenerationFields, *, several: bool = False
) -> Response:
    """Runs the requests and answers with all, whole or as a stream.

    Args:
        service: takes the requests.
        requests: one for each prompt.
        asked: what the client wants to know of the answers.
        several: whether the whole answer is a list.

    Raises:
        ServingError: the service refuses, or an engine failed.
    """
    if asked.stream:
        return stream(service, requests, lambda running: _events(running, requests, asked, service))
    answers = [
        _selected(_final(number, given, requests[number], asked, service), asked)
        for number, given in enumerate(whole(service, requests))
    ]
    return jsonify(answers if several else answers[0])


def settings_of(sampling: Sampling) -> Json:
    """How tokens are chosen, by llama.cpp's names."""
    return {
        "seed": 2**32 - 1 if sampling.seed is None else sampling.seed,
        "temperature": sampling.temperature,
        "top_k": sampling.top_k,
        "top_p": sampling.top_p,
        "min_p": sampling.min_p,
        "repeat_penalty": sampling.repeat_penalty,
        "repeat_last_n": sampling.repeat_last_n,
        "presence_penalty": sampling.presence_penalty,
        "frequency_penalty": sampling.frequency_penalty,
        "ignore_eos": sampling.ignore_eos,
    }


def _events(
    running: Running, requests: Sequence[GenerationRequest], asked: GenerationFields, service: Service
) -> Iterator[str]:
    """Every event has `content` and `stop`; the last one of each answer has all the rest, and no [DONE] follows."""
    counts = [0] * len(requests)
    lines = [False] * len(requests)
    for number, event in running.events:
        match event:
            case Waiting():
                yield WAITING
            case Text(text, tokens):
                counts[number] += len(tokens)
                lines[number] |= "\n" in text
                if text or (tokens and (asked.n_probs or asked.return_tokens)):
                    yield event_of(_partial(number, event, counts[number], running.jobs[number], asked))
            case Finish():
                end = Answer(running.jobs[number], "", (), event)
                final = _final(number, end, requests[number], asked, service)
                yield event_of(_selected({**final, "has_new_line": lines[number]}, asked))


def _partial(number: int, event: Text, generated: int, job: Job, asked: GenerationFields) -> Json:
    return {
        "index": number,
        "content": event.text,
        "tokens": [token.id for token in event.tokens],
        "stop": False,
        "id_slot": _NO_SLOT,
        "tokens_predicted": generated,
        "tokens_evaluated": job.prompt_tokens,
        **_probabilities(event.tokens, asked),
    }


def _final(
    number: int, given: Answer, request: GenerationRequest, asked: GenerationFields, service: Service
) -> Json:
    finish = given.finish
    kind = "limit" if finish.reason == "length" else "eos" if finish.stop_text is None else "word"
    return {
        "index": number,
        "content": given.text,
        "tokens": [token.id for token in given.tokens] if asked.return_tokens else [],
        "id_slot": _NO_SLOT,
        "stop": True,
        "model": service.model,
        "tokens_predicted": finish.completion_tokens,
        "tokens_evaluated": finish.prompt_tokens,
        "tokens_cached": finish.prompt_tokens + max(0, finish.completion_tokens - 1),
        "truncated": _truncated(finish, request, service),
        "has_new_line": "\n" in given.text,
        "stop_type": kind,
        "stopping_word": finish.stop_text or "",
        "timings": _timings(finish),
        "generation_settings": {
            "n_ctx": service.engine.context_length,
            **settings_of(request.sampling),
            "n_predict": -1 if request.max_tokens is None else request.max_tokens,
            "stop": list(request.stop),
            "n_probs": request.logprobs or 0,
            "grammar": request.grammar or "",
            "stream": bool(asked.stream),
        },
        **_probabilities(given.tokens, asked),
    }


def _truncated(finish: Finish, request: GenerationRequest, service: Service) -> bool:
    """Whether the answer would have gone on, had the context been longer."""
    limited = request.max_tokens is not None and finish.completion_tokens >= request.max_tokens
    used = finish.prompt_tokens + finish.completion_tokens
    return finish.reason == "length" and not limited and used >= service.engine.context_length


def _timings(finish: Finish) -> Json:
    return {
        "cache_n": finish.cached_tokens,
        **_pace("prompt", finish.prompt_tokens - finish.cached_tokens, finish.prefill_seconds),
        **_pace("predicted", finish.completion_tokens, finish.decode_seconds),
    }


def _pace(name: str, tokens: int, seconds: float) -> Json:
    return {
        f"{name}_n": tokens,
        f"{name}_ms": round(seconds * 1000, 3),
        f"{name}_per_token_ms": round(seconds * 1000 / tokens, 3) if tokens else 0.0,
        f"{name}_per_second": round(tokens / seconds, 3) if seconds else 0.0,
    }


def _probabilities(tokens: Sequence[Token], asked: GenerationFields) -> Json:
    if not asked.n_probs:
        return {}
    return {
        "completion_probabilities": [
            {**_odds(token), "top_logprobs": [_odds(other) for other in token.alternatives[: asked.n_probs]]}
            for token in tokens
        ]
    }


def _odds(token: Token | Candidate) -> Json:
    return {
        "id": token.id,
        "token": token.piece.decode("utf-8", "replace"),
        "bytes": list(token.piece),
        "logprob": _LEAST if token.logprob is None else max(token.logprob, _LEAST),
    }


def _selected(final: Json, asked: GenerationFields) -> Json:
    """The fields asked for, each under its whole path, as in "timings/prompt_n"; all if none are."""
    if not asked.response_fields:
        return final
    selected: Json = {}
    for path in asked.response_fields:
        value: Any = final
        for step in path.split("/"):
            if not isinstance(value, dict) or step not in value:
                break
            value = value[step]
        else:
            selected[path] = value
    return selected
