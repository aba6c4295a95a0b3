"""Fields that OpenAI's and llama.cpp's requests have in common, and what they mean for the engine."""

import json
import math
import re
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, JsonValue

from codemodel_server.engines.base import Engine
from codemodel_server.engines.request import Sampling
from codemodel_server.errors import InvalidRequestError

MOST_CHOICES = 16
"""Answers that one request may ask for, over all its prompts."""
_GREATEST = 2**31 - 1
_MOST_BIASES = 1024
# Editors stop at each keyword that may begin a declaration, and at their model's own tokens.
_MOST_STOPS = 64
_LONGEST_STOP = 256
# Of no more digits than int() reads at once; a longer one is no token's number either.
_NUMBER = re.compile(r"-?[0-9]{1,100}")
# The greatest 32-bit number is llama.cpp's sign for "draw one".
_SEEDS = 2**32 - 1


def _not_zero(limit: int) -> int:
    if limit == 0:
        raise ValueError("0 tokens are no answer: give at least 1, or -1 for as many as the context takes")
    return limit


Tokens = list[Annotated[int, Field(ge=0, le=_GREATEST)]]
Count = Annotated[int, Field(ge=-1, le=_GREATEST)]
Limit = Annotated[
    int,
    Field(ge=-1, le=_GREATEST, json_schema_extra={"not": {"const": 0}}),
    AfterValidator(_not_zero),
]
Choices = Annotated[int, Field(ge=1, le=MOST_CHOICES)]
Penalty = Annotated[float, Field(ge=-2, le=2)]
Share = Annotated[float, Field(ge=0, le=1)]
StopText = Annotated[str, Field(max_length=_LONGEST_STOP)]
Stop = StopText | Annotated[list[StopText], Field(max_length=_MOST_STOPS)]
Bias = Annotated[float, Field(ge=-1000, le=1000)]
BiasPair = tuple[int | str, bool | Bias]
Milliseconds = Annotated[float, Field(ge=-1, le=_GREATEST)]


class Lenient(BaseModel):
    """A body, or a part of one, of which unknown fields are ignored, as OpenAI and llama.cpp's server do."""

    model_config = ConfigDict(extra="ignore", strict=True, allow_inf_nan=False)


class SamplingFields(Lenient):
    """How many tokens are generated, and how they are chosen; null means the default."""

    n_predict: Count | None = None
    temperature: Annotated[float, Field(ge=0, le=100)] | None = None
    top_k: Annotated[int, Field(ge=-1, le=_GREATEST)] | None = None
    top_p: Share | None = None
    min_p: Share | None = None
    repeat_penalty: Annotated[float, Field(gt=0, le=100)] | None = None
    repeat_last_n: Annotated[int, Field(ge=-1, le=_GREATEST)] | None = None
    presence_penalty: Penalty | None = None
    frequency_penalty: Penalty | None = None
    seed: Annotated[int, Field(ge=-(2**63), lt=2**63)] | None = None
    logit_bias: (
        Annotated[dict[str, bool | Bias], Field(max_length=_MOST_BIASES)]
        | Annotated[list[BiasPair], Field(max_length=_MOST_BIASES)]
        | None
    ) = None
    ignore_eos: bool | None = None
    stop: Stop | None = None
    grammar: str | None = None
    json_schema: JsonValue = None
    cache_prompt: bool | None = None
    t_max_prompt_ms: Milliseconds | None = None
    t_max_predict_ms: Milliseconds | None = None


def most_tokens(*limits: int | None) -> int | None:
    """The first limit that is given, with None for as many tokens as the context takes: -1, or no limit at all."""
    limit = next((limit for limit in limits if limit is not None), -1)
    return None if limit < 0 else limit


def sampling_of(asked: SamplingFields, engine: Engine, choice: int = 0) -> Sampling:
    """How the tokens of an answer are chosen.

    Args:
        asked: what the request says.
        engine: tells which tokens there are.
        choice: number of the answer among those to one prompt: with a seed, each has one of its own.

    Raises:
        InvalidRequestError: a token is not in the vocabulary.
    """
    usual = Sampling()

    def chosen(name: str) -> Any:
        value = getattr(asked, name)
        return getattr(usual, name) if value is None else value

    seed = None if asked.seed in (None, -1, _SEEDS) else ((asked.seed or 0) + choice) % _SEEDS
    return Sampling(
        temperature=chosen("temperature"),
        top_k=max(0, chosen("top_k")),
        top_p=chosen("top_p"),
        min_p=chosen("min_p"),
        repeat_penalty=chosen("repeat_penalty"),
        repeat_last_n=chosen("repeat_last_n"),
        presence_penalty=chosen("presence_penalty"),
        frequency_penalty=chosen("frequency_penalty"),
        seed=seed,
        logit_bias=_biases(asked, engine),
        ignore_eos=bool(asked.ignore_eos),
    )


def stops_of(stop: str | list[str] | None) -> tuple[str, ...]:
    """The texts that end an answer; empty ones end nothing."""
    return tuple(text for text in ([stop] if isinstance(stop, str) else stop or ()) if text)


def schema_text(schema: Any, field: str) -> str:
    """A JSON schema as text.

    Raises:
        InvalidRequestError: it is no schema.
    """
    if not isinstance(schema, dict):
        raise InvalidRequestError(f"{field}: a JSON schema is an object", field=field)
    try:
        return json.dumps(schema, allow_nan=False)
    except ValueError as error:
        raise InvalidRequestError(f"{field}: {error}", field=field) from None


def shape_of(asked: SamplingFields) -> dict[str, Any]:
    """The arguments of a GenerationRequest that say which form the answer has, and how long it may take.

    Raises:
        InvalidRequestError: grammar and schema come together, or one of them is none.
    """
    grammar = asked.grammar or None
    if grammar is not None and "\0" in grammar:
        raise InvalidRequestError("grammar: it must not contain the character NUL", field="grammar")
    schema = None if asked.json_schema is None else schema_text(asked.json_schema, "json_schema")
    if grammar is not None and schema is not None:
        message = "send either `grammar` or `json_schema` (or response_format), not both"
        raise InvalidRequestError(message, field="json_schema")
    return {
        "stop": stops_of(asked.stop),
        "grammar": grammar,
        "json_schema": schema,
        "share_prefix": asked.cache_prompt is not False,
        "prefill_seconds": _seconds(asked.t_max_prompt_ms),
        "decode_seconds": _seconds(asked.t_max_predict_ms),
    }


def check_tokens(tokens: list[int], engine: Engine, field: str) -> None:
    """Whether all tokens are in the vocabulary, where it is known.

    Raises:
        InvalidRequestError: one is not.
    """
    size = engine.facts().vocabulary
    unknown = next((token for token in tokens if size and token >= size), None)
    if unknown is not None:
        message = f"{field}: there is no token {unknown}: tokens are numbered from 0 to {size - 1}"
        raise InvalidRequestError(message, field=field)


def _seconds(milliseconds: float | None) -> float | None:
    return milliseconds / 1000 if milliseconds is not None and milliseconds > 0 else None


def _biases(asked: SamplingFields, engine: Engine) -> tuple[tuple[int, float], ...]:
    given = asked.logit_bias or {}
    pairs: list[tuple[int | str, bool | float]] = [*(given.items() if isinstance(given, dict) else given)]
    biases: list[tuple[int, float]] = []
    for what, value in pairs:
        bias = (-math.inf if value is False else 0.0) if isinstance(value, bool) else value
        biases.extend((token, bias) for token in _biased(what, engine))
    if len(biases) > _MOST_BIASES:
        raise InvalidRequestError(f"logit_bias: at most {_MOST_BIASES} tokens", field="logit_bias")
    check_tokens([token for token, _ in biases], engine, "logit_bias")
    return tuple(biases)


def _biased(what: int | str, engine: Engine) -> list[int]:
    """The token of a number, or those of a text."""
    if isinstance(what, str) and not _NUMBER.fullmatch(what):
        return [token.id for token in engine.tokenize(what, add_special=False, parse_special=False)]
    number = int(what)
    if not 0 <= number <= _GREATEST:
        raise InvalidRequestError(
            f"logit_bias: tokens are numbered from 0 to {_GREATEST}", field="logit_bias"
        )
    return [number]
