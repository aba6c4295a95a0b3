"""GET /props: what editors want to know of the model."""

from flask import Blueprint, Response, jsonify

from codemodel_server import __version__
from codemodel_server.api.llama_cpp.answers import settings_of
from codemodel_server.engines.request import Sampling
from codemodel_server.service import Service


def blueprint(service: Service) -> Blueprint:
    """The route. Where the model's file lies is nobody's business: its name stands for its path."""
    routes = Blueprint("llama_cpp_props", __name__)

    @routes.get("/props")
    def props() -> Response:
        service.check_ready()
        engine = service.engine
        facts = engine.facts()
        return jsonify(
            default_generation_settings={"n_ctx": engine.context_length, "params": settings_of(Sampling())},
            total_slots=engine.concurrency,
            model_alias=service.model,
            model_path=service.model,
            model_ftype=facts.description,
            modalities={"vision": False, "audio": False},
            chat_template=facts.chat_template,
            bos_token=facts.bos,
            eos_token=facts.eos,
            build_info=f"codemodel-server {__version__}",
        )

    return routes
