"""llama.cpp's library itself: started once, and what it logs as errors, for its functions only return NULL."""

import ctypes

import llama_cpp

# Values of enum ggml_log_level in ggml.h.
_LOG_ERROR = 4
_LOG_CONTINUES = 5
# Only the first line is shown, and it may be blank.
_MOST_ERRORS = 16


class _ErrorLog:
    """Keeps the last errors that llama.cpp logged."""

    def __init__(self) -> None:
        self._lines: list[str] = []
        self._level = 0
        self.callback = llama_cpp.llama_log_callback(self._log)

    def _log(self, level: int, text: bytes, _user_data: object) -> None:
        self._level = self._level if level == _LOG_CONTINUES else level
        if self._level == _LOG_ERROR and len(self._lines) < _MOST_ERRORS:
            self._lines.append(text.decode("utf-8", "replace").strip())

    def take(self) -> str:
        """The first error since the last call: later ones are its consequences."""
        lines = [line for line in self._lines if line]
        self._lines.clear()
        return lines[0] if lines else "llama.cpp gave no reason"


errors = _ErrorLog()


def start() -> None:
    """Makes the library ready and listens to its errors; again is harmless."""
    llama_cpp.llama_log_set(errors.callback, ctypes.c_void_p(0))
    llama_cpp.llama_backend_init()
    errors.take()
