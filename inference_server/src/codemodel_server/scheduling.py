"""Who generates now and who waits: infill before chat, else first come first served, and no more than makes sense."""

import threading
import time
from collections.abc import Callable, Sequence

from codemodel_server.engines.request import Priority

HEAD_START_SECONDS = 10.0
"""How much earlier an infill counts as come than a chat: it overtakes, but nobody waits for ever."""


def turn(priority: Priority, arrival: float) -> float:
    """When a request counts as come, in seconds: the earliest is next."""
    return arrival if priority is Priority.INFILL else arrival + HEAD_START_SECONDS


class FullError(Exception):
    """As many wait as may wait."""


class AdmissionQueue:
    """A bounded queue in front of a number of slots.

    Args:
        slots: how many may run at a time.
        reserved: how many of Priority.INFILL may run beyond these.
        limit: how many may wait; 0 refuses whoever cannot run at once. An infill does not count those that it
            overtakes, so that twice as many may wait in all.
        clock: seconds, monotonic.
    """

    def __init__(
        self, slots: int, limit: int, reserved: int = 0, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._slots = slots
        self._reserved = reserved
        self._limit = limit
        self._clock = clock
        self._lock = threading.Lock()
        self._running: set[Ticket] = set()
        self._waiting: list[Ticket] = []

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

    def capacity(self, priority: Priority) -> int:
        """How many of this priority there may be at a time, running and waiting."""
        return self._slots + self._limit + (self._reserved if priority is Priority.INFILL else 0)

    def enter(self, priorities: Sequence[Priority]) -> list["Ticket"]:
        """Takes a place for each, or none; give them back with `Ticket.leave`.

        Raises:
            FullError: they cannot all run now, and more would wait than may.
        """
        with self._lock:
            self._refuse_too_many(priorities)
            now = self._clock()
            tickets = [Ticket(self, priority, turn(priority, now)) for priority in priorities]
            self._waiting = sorted([*self._waiting, *tickets], key=lambda ticket: ticket.turn)
            self._admit()
            return tickets

    def check(self, priorities: Sequence[Priority]) -> None:
        """Looks whether `enter` would take these now, to spare what comes before it where it would not.

        Raises:
            FullError: it would not.
        """
        with self._lock:
            self._refuse_too_many(priorities)

    def _refuse_too_many(self, priorities: Sequence[Priority]) -> None:
        """Raises FullError if more would wait than may, of those that are not overtaken."""
        everybody = [*priorities, *(ticket.priority for ticket in self._waiting)]
        for priority in set(priorities):
            rivals = sum(other <= priority for other in everybody)
            if rivals - self._free(priority) > self._limit:
                raise FullError

    def _free(self, priority: Priority) -> int:
        """How many more of this priority may run. Infills take the reserved places first, and slots beyond these."""
        infills = sum(ticket.priority is Priority.INFILL for ticket in self._running)
        chats = len(self._running) - infills
        slots = self._slots - chats - max(0, infills - self._reserved)
        return slots + (max(0, self._reserved - infills) if priority is Priority.INFILL else 0)

    def _leave(self, ticket: "Ticket") -> None:
        with self._lock:
            if ticket in self._running:
                self._running.remove(ticket)
            elif ticket in self._waiting:
                self._waiting.remove(ticket)
            self._admit()

    def _admit(self) -> None:
        for ticket in list(self._waiting):
            if self._free(ticket.priority) > 0:
                self._waiting.remove(ticket)
                self._running.add(ticket)
                ticket.admitted = True
                ticket.changed.set()


class Ticket:
    """A place in an AdmissionQueue.

    Attributes:
        priority: of its request.
        turn: when its request counts as come.
        admitted: whether the place is a slot.
        changed: set as soon as it is; others may set it, to wake who waits.
    """

    def __init__(self, queue: AdmissionQueue, priority: Priority, turn: float) -> None:
        self._queue = queue
        self.priority = priority
        self.turn = turn
        self.admitted = False
        self.changed = threading.Event()

    def leave(self) -> None:
        """Gives the place back, running or waiting; again is harmless."""
        self._queue._leave(self)
