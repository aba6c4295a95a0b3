"""From llama.cpp's fields to what an engine is asked for."""

from codemodel_server.api.fields import check_tokens, most_tokens, sampling_of, shape_of
from codemodel_server.api.llama_cpp.schemas import GenerationFields, Pieces
from codemodel_server.engines.base import Engine
from codemodel_server.engines.request import GenerationRequest, Infill, Plain, Priority, Reading
from codemodel_server.errors import InvalidRequestError


def generation_request(asked: GenerationFields, reading: Reading, engine: Engine) -> GenerationRequest:
    """What the engine is asked for.

    Raises:
        InvalidRequestError: a field does not fit the model, or another field.
    """
    _refuse(asked)
    infill = isinstance(reading, Infill)
    return GenerationRequest(
        reading=reading,
        max_tokens=most_tokens(asked.n_predict, asked.max_tokens),
        sampling=sampling_of(asked, engine),
        logprobs=asked.n_probs or None,
        priority=Priority.INFILL if infill else Priority.CHAT,
        main_field="input_prefix" if infill else "prompt",
        **shape_of(asked),
    )


def _refuse(asked: GenerationFields) -> None:
    if asked.post_sampling_probs:
        message = "post_sampling_probs: only the model's own probabilities are known: leave it out"
        raise InvalidRequestError(message, field="post_sampling_probs")
    for field in ("n", "n_cmpl"):
        if getattr(asked, field) not in (None, 1):
            message = f"{field}: one answer comes to each prompt: send the prompt several times, in a list"
            raise InvalidRequestError(message, field=field)


def plain(prompt: str | Pieces, engine: Engine) -> Plain:
    """A prompt to be continued as it is.

    Raises:
        InvalidRequestError: it is empty, or a token is not in the vocabulary.
    """
    if not prompt:
        raise InvalidRequestError("prompt: must not be empty", field="prompt")
    return Plain(prompt if isinstance(prompt, str) else tuple(tokens_of(prompt, engine, "prompt")))


def tokens_of(
    pieces: Pieces, engine: Engine, field: str, *, add_special: bool = True, parse_special: bool = True
) -> list[int]:
    """The tokens of tokens and texts; the beginning-of-text token comes only before a text that is the first piece.

    Raises:
        InvalidRequestError: a token is not in the vocabulary, or the engine cannot tokenize.
    """
    tokens: list[int] = []
    for number, piece in enumerate(pieces):
        if isinstance(piece, int):
            tokens.append(piece)
        else:
            first = add_special and number == 0
            found = engine.tokenize(piece, add_special=first, parse_special=parse_special)
            tokens.extend(token.id for token in found)
    check_tokens(tokens, engine, field)
    return tokens
