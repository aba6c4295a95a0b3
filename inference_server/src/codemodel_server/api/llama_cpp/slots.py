"""GET /slots: what is generated now."""

from typing import Any

from flask import Blueprint, Response, jsonify

from codemodel_server.engines.base import Slot
from codemodel_server.service import Service


def blueprint(service: Service) -> Blueprint:
    """The route: at least as many slots as generations may run. Prompts are not shown to others."""
    routes = Blueprint("llama_cpp_slots", __name__)

    @routes.get("/slots")
    def slots() -> Response:
        service.check_ready()
        engine = service.engine
        busy = {slot.id: slot for slot in engine.activity().slots}
        places = max(engine.concurrency, *(number + 1 for number in busy), 0)
        return jsonify([_slot(number, busy.get(number), engine.context_length) for number in range(places)])

    return routes


def _slot(number: int, slot: Slot | None, context_length: int) -> dict[str, Any]:
    known = {"id": number, "n_ctx": context_length, "speculative": False, "is_processing": slot is not None}
    if slot is None:
        return known
    return {
        **known,
        "n_prompt_tokens": slot.prompt_tokens,
        "n_prompt_tokens_processed": slot.read_tokens - slot.cached_tokens,
        "n_prompt_tokens_cache": slot.cached_tokens,
        "next_token": [{"n_decoded": slot.generated_tokens}],
    }
