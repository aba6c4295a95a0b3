"""llama-cpp-python's functions of llama.cpp, without the rest of that package.

Importing the package runs its high-level part first: NumPy, a chat server, and a log of its own for llama.cpp. That
takes five times as long as the functions alone, and whoever starts a replica waits for it. So its parts are imported
one by one, and the package never is.
"""

import importlib
import importlib.util
import os
import sys
from types import ModuleType
from typing import TYPE_CHECKING

_PACKAGE = "llama_cpp"


def part(name: str) -> ModuleType:
    """A module of the package that needs nothing of the package itself. One thread at a time.

    Args:
        name: its name in the package.

    Raises:
        ImportError: llama-cpp-python is not installed, or its library does not load on this machine.
    """
    spec = None if _PACKAGE in sys.modules else importlib.util.find_spec(_PACKAGE)
    if spec is None:
        return importlib.import_module(f"{_PACKAGE}.{name}")
    # Stands in for the package: that is where Python looks for the module, after it has run the package otherwise.
    sys.modules[_PACKAGE] = importlib.util.module_from_spec(spec)
    try:
        return importlib.import_module(f"{_PACKAGE}.{name}")
    finally:
        del sys.modules[_PACKAGE]


def _wait_busily() -> None:
    """Lets computing threads wait busily for one another, unless the environment says how they are to wait.

    They meet some hundred times in a decode. When OpenMP manages more of them than there are processors, as while a
    prompt is read beside the streams, GCC's tries 100 times before a thread sleeps, and 1,000 times if the policy is
    "active"; otherwise it is left at 300,000, which "active" would raise, too (libgomp/env.c). It reads both once, when
    it is loaded.
    """
    if not os.environ.keys() & {"OMP_WAIT_POLICY", "GOMP_SPINCOUNT"}:
        os.environ.update(OMP_WAIT_POLICY="active", GOMP_SPINCOUNT="300000")


if TYPE_CHECKING:
    from llama_cpp import llama_cpp
else:
    _wait_busily()
    llama_cpp = part("llama_cpp")

__all__ = ["llama_cpp", "part"]
