"""POST /completion: text that continues a prompt as it is."""

from typing import cast

from flask import Blueprint, Response

from codemodel_server.api.body import read_body
from codemodel_server.api.fields import MOST_CHOICES
from codemodel_server.api.llama_cpp.answers import answer
from codemodel_server.api.llama_cpp.requests import generation_request, plain
from codemodel_server.api.llama_cpp.schemas import LlamaCompletion, Pieces
from codemodel_server.errors import InvalidRequestError
from codemodel_server.service import Service


def blueprint(service: Service) -> Blueprint:
    """The route. /completions is OpenAI's here, as clients without /v1 in their address expect it."""
    routes = Blueprint("llama_cpp_completion", __name__)

    @routes.post("/completion")
    def completion() -> Response:
        asked = read_body(LlamaCompletion)
        service.check_ready()
        prompts = _prompts(asked)
        requests = [
            generation_request(asked, plain(prompt, service.engine), service.engine) for prompt in prompts
        ]
        return answer(service, requests, asked, several=len(requests) > 1)

    return routes


def _prompts(asked: LlamaCompletion) -> list[str | Pieces]:
    """The prompts. A list with a number in it is one, of tokens and texts.

    Raises:
        InvalidRequestError: there are too many.
    """
    prompt = asked.prompt
    if isinstance(prompt, str) or not prompt or any(isinstance(piece, int) for piece in prompt):
        return [cast("str | Pieces", prompt)]
    if len(prompt) > MOST_CHOICES:
        raise InvalidRequestError(f"prompt: at most {MOST_CHOICES} prompts are possible", field="prompt")
    return cast("list[str | Pieces]", prompt)
