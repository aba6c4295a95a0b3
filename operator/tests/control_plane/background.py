"""An event loop in a thread, for what serves while a test waits."""

import asyncio
import threading
from collections.abc import Coroutine, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from typing import Any, TypeVar

T = TypeVar("T")

_PATIENCE_SECONDS = 30


class Background:
    """Runs coroutines beside the tests; for threads."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop

    @classmethod
    @contextmanager
    def started(cls) -> Iterator["Background"]:
        """Run the loop; what still runs on it at the end is cancelled."""
        loop = asyncio.new_event_loop()
        thread = threading.Thread(target=loop.run_forever, name="background", daemon=True)
        thread.start()
        background = cls(loop)
        try:
            yield background
        finally:
            background.run(_cancel_all())
            loop.call_soon_threadsafe(loop.stop)
            thread.join(_PATIENCE_SECONDS)
            loop.close()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run it to its end and return what it returns."""
        return self.spawn(work).result(_PATIENCE_SECONDS)

    def spawn(self, work: Coroutine[Any, Any, T]) -> "Future[T]":
        """Begin with it."""
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    def call(self, function: Any, *arguments: Any) -> None:
        """Call a function of something that belongs to the loop, soon."""
        self._loop.call_soon_threadsafe(function, *arguments)


async def _cancel_all() -> None:
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)
