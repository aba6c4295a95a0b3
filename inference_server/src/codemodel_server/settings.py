"""The server's settings: each a flag and an environment variable; the flag wins."""

import argparse
import os
import socket
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from codemodel_server import __version__

ENGINES = ("auto", "llama-cpp", "ollama", "mock")
_CHECKOUT_FRONTEND = Path(__file__).resolve().parents[3] / "frontend"
_IMAGE_FRONTEND = Path("/app/frontend")


@dataclass(frozen=True, slots=True)
class Settings:
    """What the server was told at its start.

    Attributes:
        model: the GGUF file, or None.
        engine: one of ENGINES.
        host: address to listen at.
        port: port to listen at; 0 takes a free one.
        management_port: port of its own for probes and metrics; 0 takes a free one.
        context_length: tokens that prompt and answer may have together.
        parallel: sequences that are decoded together.
        threads: computing threads; 0 is the CPU quota.
        queue_limit: requests that may wait.
        request_seconds: how long a request may take, waiting included; 0 is without limit.
        grace_seconds: how long requests may go on after SIGTERM.
        max_body_bytes: a request's body is shorter than this.
        api_keys: a file with API keys, or a folder of such files; None lets everybody in.
        model_name: the model's name in answers; None derives it.
        ollama_url: where Ollama answers; None is its usual address.
        ollama_model: the model that Ollama is asked for.
        mock_tokens_per_second: speed of the mock engine; 0 does not wait.
        mock_failure: share of the mock engine's requests that fail, from 0 to 1.
        replicas_host: a name that resolves to the addresses of all replicas; None if there is only this one.
        replica: the name of this server among others.
        frontend: the folder with index.html, or None.
    """

    model: Path | None
    engine: str
    host: str
    port: int
    management_port: int
    context_length: int
    parallel: int
    threads: int
    queue_limit: int
    request_seconds: float
    grace_seconds: float
    max_body_bytes: int
    api_keys: Path | None
    model_name: str | None
    ollama_url: str | None
    ollama_model: str
    mock_tokens_per_second: float
    mock_failure: float
    replicas_host: str | None
    replica: str
    frontend: Path | None


@dataclass(frozen=True, slots=True)
class _Option:
    """A setting: `read` turns its text into its value and raises ValueError with what is allowed."""

    name: str
    variable: str
    read: Callable[[str], Any]
    default: Any
    help: str


def _integer(low: int, high: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        problem = ValueError(f"{text!r} is not a whole number from {low} to {high}")
        try:
            value = int(text)
        except ValueError:
            raise problem from None
        if not low <= value <= high:
            raise problem
        return value

    return read


def _number(high: float) -> Callable[[str], float]:
    def read(text: str) -> float:
        problem = ValueError(f"{text!r} is not a number from 0 to {high:.15g}")
        try:
            value = float(text)
        except ValueError:
            raise problem from None
        if not 0 <= value <= high:
            raise problem
        return value

    return read


def _engine(text: str) -> str:
    if text not in ENGINES:
        raise ValueError(f"{text!r} is not one of {', '.join(ENGINES)}")
    return text


def _url(text: str) -> str:
    problem = ValueError(f"{text!r} is not an http:// or https:// URL")
    try:
        url = urlsplit(text)
        complete = url.scheme in {"http", "https"} and url.hostname and url.port != 0
    except ValueError:
        raise problem from None
    if not complete:
        raise problem
    return text.rstrip("/")


OPTIONS = (
    _Option("model", "MODEL_PATH", Path, None, "GGUF model file"),
    _Option(
        "engine", "ENGINE", _engine, "auto",
        "auto, llama-cpp, ollama or mock; auto: llama-cpp if a model is given, else ollama if it answers, else mock",
    ),
    _Option("host", "HOST", str, "127.0.0.1", "address to listen at"),
    _Option("port", "PORT", _integer(0, 65535), 8080, "port to listen at; 0 takes a free one"),
    _Option(
        "management-port", "MANAGEMENT_PORT", _integer(0, 65535), 8081,
        "port of its own for /health, /ready and /metrics; 0 takes a free one",
    ),
    _Option(
        "context-length", "CONTEXT_LENGTH", _integer(16, 1 << 20), 4096, "tokens of prompt and answer together"
    ),
    _Option(
        "parallel", "PARALLEL", _integer(1, 64), 4,
        "sequences decoded together; llama-cpp's memory holds so many of the whole context length",
    ),
    _Option("threads", "THREADS", _integer(0, 1024), 0, "computing threads; 0 takes the CPU quota"),
    _Option("queue-limit", "QUEUE_LIMIT", _integer(0, 1024), 64, "requests that may wait; more are refused with 429"),
    _Option(
        "request-seconds", "REQUEST_SECONDS", _number(86_400), 600.0,
        "how long a request may take, waiting included; 0 is without limit",
    ),
    _Option(
        "grace-seconds", "GRACE_SECONDS", _number(86_400), 45.0, "how long requests may go on after SIGTERM"
    ),
    _Option(
        "max-body-bytes", "MAX_BODY_BYTES", _integer(1024, 1 << 30), 1 << 20, "a request's body is shorter than this"
    ),
    _Option(
        "api-keys", "API_KEYS", Path, None,
        "file with API keys, one a line, or folder of such files; without it everybody is let in",
    ),
    _Option("model-name", "MODEL_NAME", str, None, "the model's name in answers; its file's name by default"),
    _Option("ollama-url", "OLLAMA_URL", _url, None, "where Ollama answers"),
    _Option("ollama-model", "OLLAMA_MODEL", str, "codellama:7b-instruct", "the model that Ollama is asked for"),
    _Option(
        "mock-tokens-per-second", "MOCK_TOKENS_PER_SECOND", _number(1_000_000), 50.0, "speed of mock; 0 does not wait"
    ),
    _Option("mock-failure", "MOCK_FAILURE", _number(1), 0.0, "share of mock's requests that fail, from 0 to 1"),
    _Option(
        "replicas-host", "REPLICAS_HOST", str, None,
        "name that resolves to the addresses of all replicas, all at this port, for GET /live",
    ),
)  # fmt: skip


def parse_settings(arguments: Sequence[str], environment: Mapping[str, str] = os.environ) -> Settings:
    """Reads the settings; an empty environment variable counts as not set.

    Raises:
        SystemExit: with status 2 and a message naming the wrong flag or variable, or 0 after --help.
    """
    parser = argparse.ArgumentParser(
        prog="codemodel-server", description="Serves a code model over HTTP, with a web page at /."
    )
    parser.add_argument("--version", action="version", version=__version__)
    for option in OPTIONS:
        default = "" if option.default is None else f" (default: {option.default})"
        parser.add_argument(
            f"--{option.name}", metavar="X", help=f"[{option.variable}] {option.help}{default}"
        )
    flags = vars(parser.parse_args(arguments))
    values: dict[str, Any] = {}
    for option in OPTIONS:
        key = option.name.replace("-", "_")
        flag, variable = flags[key], environment.get(option.variable) or None
        source = f"--{option.name}" if flag is not None else option.variable
        text = flag if flag is not None else variable
        try:
            values[key] = option.default if text is None else option.read(text)
        except ValueError as error:
            parser.error(f"{source}: {error}")
    return Settings(
        **values,
        replica=environment.get("POD_NAME") or socket.gethostname(),
        frontend=_find_frontend(environment),
    )


def _find_frontend(environment: Mapping[str, str]) -> Path | None:
    if named := environment.get("FRONTEND_DIR"):
        return Path(named)
    return next((folder for folder in (_IMAGE_FRONTEND, _CHECKOUT_FRONTEND) if folder.is_dir()), None)
