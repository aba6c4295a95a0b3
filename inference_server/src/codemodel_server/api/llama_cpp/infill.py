"""POST /infill: code between what comes before the cursor and what comes after it."""

from flask import Blueprint, Response

from codemodel_server.api.body import read_body
from codemodel_server.api.llama_cpp.answers import answer
from codemodel_server.api.llama_cpp.requests import generation_request
from codemodel_server.api.llama_cpp.schemas import LlamaInfill
from codemodel_server.engines.request import Infill, Snippet
from codemodel_server.service import Service

# llama.cpp's own name for a file without one.
_UNNAMED = "tmp"


def blueprint(service: Service) -> Blueprint:
    """The route."""
    routes = Blueprint("llama_cpp_infill", __name__)

    @routes.post("/infill")
    def infill() -> Response:
        asked = read_body(LlamaInfill)
        service.check_ready()
        extra = tuple(Snippet(file.filename or _UNNAMED, file.text) for file in asked.input_extra or ())
        reading = Infill(asked.input_prefix, asked.input_suffix, extra, asked.prompt or "")
        return answer(service, [generation_request(asked, reading, service.engine)], asked)

    return routes
