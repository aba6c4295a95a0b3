"""Work on the pieces of a file, in their order, beside what brings them."""

import threading
from collections.abc import Callable
from queue import SimpleQueue

_PLACES = 8


class Lane:
    """A thread that does one thing with each piece that it is given.

    At most 8 pieces wait; then `put` waits, too, so that a fast server does not fill the memory.

    Args:
        work: what to do. After its first exception it is not called again.
    """

    def __init__(self, work: Callable[[bytes], object]) -> None:
        self._work = work
        self._closed = False
        self._error: Exception | None = None
        # Queues made in C and no lock of Python's: a signal's exception between any two lines leaves nothing locked.
        self._places: SimpleQueue[None] = SimpleQueue()
        # Pieces; a queue to be told when all before it are done; None at the end.
        self._given: SimpleQueue[bytes | SimpleQueue[None] | None] = SimpleQueue()
        for _ in range(_PLACES):
            self._places.put(None)
        threading.Thread(target=self._run, daemon=True).start()

    def put(self, piece: bytes) -> None:
        """Hands a piece over.

        Raises:
            Exception: what the work raised for a piece before.
        """
        self._places.get()
        self._given.put(piece)
        self._check()

    def wait(self) -> None:
        """Waits until the work is done for every piece; returns at once after `close`.

        Raises:
            Exception: what the work raised.
        """
        if not self._closed:
            done: SimpleQueue[None] = SimpleQueue()
            self._given.put(done)
            done.get()
        self._check()

    def close(self) -> None:
        """Ends the thread when the work is done; does not wait for that."""
        self._closed = True
        self._given.put(None)

    def _check(self) -> None:
        if self._error is not None:
            raise self._error

    def _run(self) -> None:
        while (given := self._given.get()) is not None:
            if not isinstance(given, bytes):
                given.put(None)
                continue
            try:
                if self._error is None:
                    self._work(given)
            except Exception as error:
                self._error = error
            self._places.put(None)
