"""Builds a real Ollama, for CPUs only."""

import shutil
import tarfile
from collections.abc import Mapping
from pathlib import Path

from e2e.cluster import docker, settings
from e2e.cluster.steps import Step
from inference_server.benchmarks.llama_server import REQUIREMENTS, pin
from inference_server.tests.go_programs import Programs

# Ollama's module leaves out the headers that it vendors, as all modules do: llama.cpp's source has the same.
_HEADERS = "/vendor/llama.cpp/vendor/"


def _environment(current: Step, needed: Path) -> Mapping[str, str]:
    if not shutil.which("g++"):
        docker.install(current, "g++")
    wanted = needed / "pin.txt"
    wanted.write_text(pin(REQUIREMENTS.read_text()))
    pip = settings.ROOT / ".venv" / "bin" / "pip"
    download = (pip, "download", "--quiet", "--no-deps", "--no-binary", ":all:", "--require-hashes")
    current.run(*download, "-d", needed / "sdist", "-r", wanted)
    (archive,) = (needed / "sdist").iterdir()
    with tarfile.open(archive) as opened:
        members = [member for member in opened if _HEADERS in f"/{member.name}"]
        opened.extractall(needed, members, filter="data")
    (headers,) = needed.glob(f"*{_HEADERS}")
    return {
        "CGO_ENABLED": "1",
        "CGO_CPPFLAGS": f"-I{headers}",
        "CGO_CFLAGS": "-O2 -w",
        "CGO_CXXFLAGS": "-O2 -w",
    }


OLLAMA = Programs(
    "Building Ollama, to test against (once, about ten minutes)",
    Path(__file__).parent,
    (),
    _environment,
    pin(REQUIREMENTS.read_text()),
)
