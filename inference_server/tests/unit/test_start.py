"""What a start waits for: nothing is imported, before llama.cpp reads the model, that can be imported meanwhile."""

import subprocess
import sys

import pytest

_LATER = ("numpy", "flask", "pydantic", "prometheus_client", "jinja2", "httpx", "http.server")


@pytest.mark.parametrize("module", ["codemodel_server.cli", "codemodel_server.engines.llama_cpp.engine"])
def test_what_takes_long_is_imported_while_the_model_is_read(module: str) -> None:
    assert not imported(module, *_LATER, "llama_cpp")


def test_the_rest_of_the_engine_leaves_out_the_package_of_llama_cpp() -> None:
    # It would take llama.cpp's log, which then waits for Python at every line.
    engine = "codemodel_server.engines.llama_cpp.loaded"
    assert imported(engine, "numpy", "llama_cpp", "llama_cpp.llama_cpp") == {"numpy", "llama_cpp.llama_cpp"}


def test_whoever_asks_no_other_replica_needs_no_client() -> None:
    assert not imported("codemodel_server.app", "httpx")


def imported(module: str, *looked_for: str) -> set[str]:
    """Those of the modules that are there once another one is imported, in a process of its own."""
    code = f"import sys, {module}; print(*(name for name in {looked_for} if name in sys.modules))"
    found = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    return set(found.stdout.split())
