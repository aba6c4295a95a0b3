"""Who generates now and who waits: first come, first served, and no more waiting than makes sense."""

import threading
from collections import deque


class FullError(Exception):
    """As many wait as may wait."""


class AdmissionQueue:
    """A first-in first-out queue in front of a number of slots.

    Args:
        slots: how many may run at a time.
        limit: how many may wait; 0 refuses whoever cannot run at once.
    """

    def __init__(self, slots: int, limit: int) -> None:
        self._slots = slots
        self._limit = limit
        self._lock = threading.Lock()
        self._running: set[Ticket] = set()
        self._waiting: deque[Ticket] = deque()

    @property
    def running(self) -> int:
        """How many run."""
        return len(self._running)

    @property
    def waiting(self) -> int:
        """How many wait."""
        return len(self._waiting)

    @property
    def slots(self) -> int:
        """How many may run at a time."""
        return self._slots

    def enter(self) -> "Ticket":
        """Takes a place; give it back with `Ticket.leave`.

        Raises:
            FullError: all slots are taken and as many wait as may.
        """
        with self._lock:
            if len(self._running) >= self._slots and len(self._waiting) >= self._limit:
                raise FullError
            ticket = Ticket(self)
            self._waiting.append(ticket)
            self._admit()
            return ticket

    def _leave(self, ticket: "Ticket") -> None:
        with self._lock:
            if ticket in self._running:
                self._running.remove(ticket)
            elif ticket in self._waiting:
                self._waiting.remove(ticket)
            self._admit()

    def _admit(self) -> None:
        while self._waiting and len(self._running) < self._slots:
            ticket = self._waiting.popleft()
            self._running.add(ticket)
            ticket.admitted.set()


class Ticket:
    """A place in an AdmissionQueue.

    Attributes:
        admitted: set as soon as the place is a slot.
    """

    def __init__(self, queue: AdmissionQueue) -> None:
        self._queue = queue
        self.admitted = threading.Event()

    def leave(self) -> None:
        """Gives the place back, running or waiting; again is harmless."""
        self._queue._leave(self)
