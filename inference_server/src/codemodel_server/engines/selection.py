"""Which engine serves, and under which name."""

from typing import TYPE_CHECKING

from codemodel_server.cpu import cpu_quota, thread_count, usable_cpus
from codemodel_server.errors import LoadError
from codemodel_server.memory import memory_limit
from codemodel_server.settings import Settings

if TYPE_CHECKING:
    from codemodel_server.engines.base import Engine

_OLLAMA_USUAL_URL = "http://127.0.0.1:11434"
_PROBE_SECONDS = 1.0


def choose_engine(settings: Settings) -> str:
    """The engine's name: what was asked, or for "auto" the first that there is something for.

    A model file that was named but is missing is still llama-cpp's, which then says so: answering with another engine
    would hide the mistake.
    """
    if settings.engine != "auto":
        return settings.engine
    if settings.model is not None:
        return "llama-cpp"
    if settings.ollama_url is not None or _answers(_OLLAMA_USUAL_URL):
        return "ollama"
    return "mock"


def build_engine(settings: Settings) -> "Engine":
    """The engine, not loaded yet.

    Raises:
        LoadError: llama-cpp was asked for without a model file.
    """
    # Imported only when needed, for who starts a replica waits for it: an HTTP client, native libraries.
    match choose_engine(settings):
        case "mock":
            from codemodel_server.engines.mock import MockEngine  # noqa: PLC0415

            return MockEngine(
                settings.context_length,
                settings.parallel,
                settings.mock_tokens_per_second,
                settings.mock_failure,
            )
        case "ollama":
            from codemodel_server.engines.ollama import OllamaEngine  # noqa: PLC0415

            url = settings.ollama_url or _OLLAMA_USUAL_URL
            return OllamaEngine(url, settings.ollama_model, settings.context_length, settings.parallel)
        case _:
            if settings.model is None:
                raise LoadError("the engine llama-cpp needs a model file: give --model or MODEL_PATH")
            from codemodel_server.engines.llama_cpp.engine import LlamaCppEngine  # noqa: PLC0415

            threads = thread_count(settings.threads, cpu_quota(), usable_cpus())
            return LlamaCppEngine(
                settings.model, settings.context_length, settings.parallel, threads, memory_limit()
            )


def model_name(settings: Settings, engine: str) -> str:
    """The model's name in answers: what was asked, or what the engine's model is known as."""
    if settings.model_name:
        return settings.model_name
    if engine == "ollama":
        return settings.ollama_model
    if engine == "llama-cpp" and settings.model is not None:
        return settings.model.stem
    return engine


def _answers(url: str) -> bool:
    import httpx  # noqa: PLC0415

    try:
        return httpx.get(url, timeout=_PROBE_SECONDS).is_success
    except httpx.HTTPError:
        return False
