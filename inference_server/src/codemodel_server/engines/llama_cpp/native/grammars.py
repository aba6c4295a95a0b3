"""Grammars that answers follow, each in a process of its own (`grammarian`): whatever it does, only its answer ends."""

import select
import socket
import subprocess
import sys
import threading
import weakref
from pathlib import Path

import numpy as np
import numpy.typing as npt

from codemodel_server.engines.llama_cpp.native import wire
from codemodel_server.errors import EngineFailedError, InvalidRequestError

# The processes end by themselves; this is for one that gets no processor to do so.
_PATIENCE_SECONDS = 10.0
_MOST_BYTES = 1 << 20
_TOKEN = np.dtype([("id", np.int32), ("logit", np.float32), ("p", np.float32)])  # llama_token_data in llama.h
_PROCESS = "codemodel_server.engines.llama_cpp.native.grammarian"
_END_SECONDS = 1.0

Mask = npt.NDArray[np.bool_]


class Grammar:
    """A grammar, and how far an answer has followed it. Its process ends with it.

    Args:
        connection: to its process.
        tokens: in the vocabulary.
    """

    def __init__(self, connection: socket.socket, tokens: int) -> None:
        self._connection = connection
        self._tokens = tokens
        weakref.finalize(self, connection.close).atexit = False

    def propose(self, token: int) -> None:
        """Asks to go on with a token; `taken` says what came of it.

        Raises:
            InvalidRequestError: the grammar takes too long, or too much memory.
        """
        self._send(wire.ORDER.pack(wire.TAKE, token))

    def answered(self, seconds: float) -> bool:
        """Waits so long at most for the answer to what was proposed; whether it has come."""
        return bool(select.select([self._connection], [], [], seconds)[0])

    def taken(self) -> Mask | None:
        """Waits for that answer: None if the token is taken, or else which may come next, shape (vocabulary,).

        Raises:
            InvalidRequestError: the grammar takes too long, or too much memory.
        """
        if self._answer() == wire.YES:
            return None
        candidates = np.empty(self._tokens, _TOKEN)
        self._receive(candidates.data.cast("B"))
        allowed: Mask = np.isfinite(candidates["logit"])
        return allowed

    def accept(self, token: int) -> None:
        """Goes on with a token that may come next; the errors are those of `propose`."""
        self._send(wire.ORDER.pack(wire.ACCEPT, token))

    def parse(self, text: bytes) -> bool:
        """Begins with the grammar itself; whether it is one. The errors are those of `propose`."""
        self._send(wire.SIZE.pack(len(text)) + text)
        return self._answer() == wire.YES

    def _send(self, message: bytes) -> None:
        try:
            self._connection.sendall(message)
        except OSError:
            raise _runaway() from None

    def _answer(self) -> bytes:
        answer = bytearray(1)
        self._receive(memoryview(answer))
        return bytes(answer)

    def _receive(self, room: memoryview) -> None:
        try:
            wire.receive_into(self._connection, room)
        except (EOFError, OSError):
            raise _runaway() from None


class Grammars:
    """Begins grammars; on any thread.

    Args:
        model: the file with the vocabulary.
        tokens: in it.
    """

    def __init__(self, model: Path, tokens: int) -> None:
        self._model = model
        self._tokens = tokens
        self._lock = threading.Lock()
        self._root: _Root | None = None

    def begin(self, text: str, field: str = "grammar") -> Grammar:
        """A grammar that nothing has followed yet.

        Args:
            text: GBNF.
            field: of the request, where it comes from.

        Raises:
            InvalidRequestError: it is none, or too large.
            EngineFailedError: there is no process for it.
        """
        data = text.encode()
        if len(data) > _MOST_BYTES:
            raise InvalidRequestError("the grammar is too large: send a simpler one", field=field)
        if b"\0" in data or not data.strip():
            raise InvalidRequestError("the grammar is empty or has a NUL character", field=field)
        grammar = Grammar(self._connect(), self._tokens)
        if not grammar.parse(data):
            # llama.cpp says the same when memory is at its limit.
            message = (
                "the grammar is not valid GBNF with a rule `root` and without left recursion, or is too large"
            )
            raise InvalidRequestError(message, field=field)
        return grammar

    def close(self) -> None:
        """Ends the process that all others come from; they end with their grammars."""
        with self._lock:
            if self._root is not None:
                self._root.end()
            self._root = None

    def _connect(self) -> socket.socket:
        """A socket to a new process."""
        ours, theirs = socket.socketpair()
        ours.settimeout(_PATIENCE_SECONDS)
        try:
            with theirs, self._lock:
                if self._root is None or self._root.ended():
                    self._root = _Root(self._model)
                self._root.fork(theirs)
        except OSError as error:
            ours.close()
            raise EngineFailedError(f"there is no process for the grammar: {error}: try again") from error
        return ours


class _Root:
    """The process that all others come from; it begins to read the vocabulary."""

    def __init__(self, model: Path) -> None:
        self._control, theirs = socket.socketpair()
        with theirs:
            command = (sys.executable, "-m", _PROCESS, str(model))
            self._process = subprocess.Popen(command, stdin=theirs.fileno(), stdout=subprocess.DEVNULL)

    def fork(self, connection: socket.socket) -> None:
        socket.send_fds(self._control, [wire.TAKE], [connection.fileno()])

    def ended(self) -> bool:
        if self._process.poll() is None:
            return False
        self._control.close()
        return True

    def end(self) -> None:
        self._control.close()
        try:
            self._process.wait(_END_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def _runaway() -> InvalidRequestError:
    message = "the grammar takes too long, or too much memory: send a simpler grammar or JSON schema"
    return InvalidRequestError(message, field="grammar")
