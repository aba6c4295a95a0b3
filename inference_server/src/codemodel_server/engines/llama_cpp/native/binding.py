"""llama-cpp-python's functions of llama.cpp, without the rest of that package.

Importing the package runs its high-level part first: NumPy, a chat server, and a log of its own for llama.cpp. That
takes five times as long as the functions alone, and whoever starts a replica waits for it. So its parts are imported
one by one, and the package never is.
"""

import importlib
import importlib.util
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


if TYPE_CHECKING:
    from llama_cpp import llama_cpp
else:
    llama_cpp = part("llama_cpp")

__all__ = ["llama_cpp", "part"]
