"""POST /tokenize, /detokenize and /apply-template: what the model would be given."""

from typing import Any

from flask import Blueprint, Response, jsonify

from codemodel_server.api.body import read_body
from codemodel_server.api.llama_cpp.requests import tokens_of
from codemodel_server.api.llama_cpp.schemas import ApplyTemplate, Detokenize, Tokenize
from codemodel_server.api.turns import messages_of
from codemodel_server.engines.events import Candidate
from codemodel_server.service import Service


def blueprint(service: Service) -> Blueprint:
    """The routes."""
    routes = Blueprint("llama_cpp_tokens", __name__)

    @routes.post("/tokenize")
    def tokenize() -> Response:
        asked = read_body(Tokenize)
        service.check_ready()
        add, special = bool(asked.add_special), asked.parse_special is not False
        if isinstance(asked.content, str):
            found = service.engine.tokenize(asked.content, add_special=add, parse_special=special)
            return jsonify(tokens=[_piece(one) if asked.with_pieces else one.id for one in found])
        numbers = tokens_of(asked.content, service.engine, "content", add_special=add, parse_special=special)
        if asked.with_pieces:
            return jsonify(tokens=[{"id": n, "piece": service.engine.detokenize([n])} for n in numbers])
        return jsonify(tokens=numbers)

    @routes.post("/detokenize")
    def detokenize() -> Response:
        asked = read_body(Detokenize)
        service.check_ready()
        return jsonify(content=service.engine.detokenize(asked.tokens))

    @routes.post("/apply-template")
    def apply_template() -> Response:
        asked = read_body(ApplyTemplate)
        service.check_ready()
        answered = asked.add_generation_prompt is not False
        return jsonify(prompt=service.engine.apply_template(messages_of(asked.messages), answered=answered))

    return routes


def _piece(token: Candidate) -> dict[str, Any]:
    """A token and its text, or its bytes where they are not whole characters."""
    try:
        return {"id": token.id, "piece": token.piece.decode()}
    except UnicodeDecodeError:
        return {"id": token.id, "piece": list(token.piece)}
