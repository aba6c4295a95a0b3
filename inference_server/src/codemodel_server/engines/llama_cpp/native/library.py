"""llama.cpp's library itself: started once, silent, and listened to when one of its functions returns NULL."""

import ctypes
from collections.abc import Callable
from typing import Any

from codemodel_server.engines.llama_cpp.native.binding import llama_cpp

# Values of enum ggml_log_level in ggml.h.
_LOG_ERROR = 4
_LOG_CONTINUES = 5
# Only the first line is shown, and it may be blank.
_MOST_ERRORS = 16
# llama.cpp writes thousands of lines while it reads a model. A function of Python would wait for Python's lock at each,
# which other threads hold that import; so it is a function of C that does nothing with them: abs of the level.
_IGNORE = ctypes.cast(ctypes.CDLL(None).abs, llama_cpp.llama_log_callback)


class NothingMadeError(Exception):
    """llama.cpp did not make what it was asked for; the message is the first error that it logged."""


class _Errors:
    """The errors that llama.cpp logs."""

    def __init__(self) -> None:
        self._lines: list[str] = []
        self._level = 0
        self.callback = llama_cpp.llama_log_callback(self._log)

    def _log(self, level: int, text: bytes, _user_data: object) -> None:
        self._level = self._level if level == _LOG_CONTINUES else level
        if self._level == _LOG_ERROR and len(self._lines) < _MOST_ERRORS:
            self._lines.append(text.decode("utf-8", "replace").strip())

    def first(self) -> str:
        """The first one: later ones are its consequences."""
        return next((line for line in self._lines if line), "llama.cpp gave no reason")


def start() -> None:
    """Makes the library ready and silent; again is harmless."""
    _log_to(_IGNORE)
    llama_cpp.llama_backend_init()


def made(make: Callable[[], Any]) -> Any:
    """The pointer that a function of llama.cpp returns.

    If that is NULL, the function is called once more, and what it logs is listened to.

    Raises:
        NothingMadeError: both calls returned NULL.
    """
    if pointer := make():
        return pointer
    errors = _Errors()
    _log_to(errors.callback)
    try:
        pointer = make()
    finally:
        _log_to(_IGNORE)
    if not pointer:
        raise NothingMadeError(errors.first())
    return pointer


def _log_to(callback: Any) -> None:
    llama_cpp.llama_log_set(callback, ctypes.c_void_p(0))
