"""The loop of the workers: take a key, reconcile it, say when to look again."""

import logging
import time
from collections.abc import Awaitable, Callable

from .errors import EndingError, OperatorError
from .logs import current_key
from .metrics import Metrics
from .workqueue import Key, WorkQueue

logger = logging.getLogger(__name__)

Reconcile = Callable[[Key], Awaitable[float | None]]


async def work(queue: WorkQueue, reconcile: Reconcile, metrics: Metrics) -> None:
    """Reconcile keys for ever. No failure ends this, cancelling does."""
    while True:
        await work_once(queue, reconcile, metrics)


async def work_once(queue: WorkQueue, reconcile: Reconcile, metrics: Metrics) -> None:
    """Wait for one key, reconcile it and give it back."""
    key = await queue.get()
    current_key.set(key)
    started = time.monotonic()
    result = "done"
    try:
        next_after = await reconcile(key)
    except EndingError as error:
        result = "gone"
        queue.forget(key)
        metrics.forget(key)
        logger.debug("Nothing to do: %s", error)
    except OperatorError as error:
        result = "retried"
        delay = queue.retry(key)
        logger.warning("Trying again", extra={"event": {"reason": str(error), "delay": round(delay, 2)}})
    except Exception:
        result = "failed"
        delay = queue.retry(key)
        logger.exception("Unexpected failure, trying again", extra={"event": {"delay": round(delay, 2)}})
    else:
        if next_after is None:
            result = "gone"
            queue.forget(key)
            metrics.forget(key)
        else:
            queue.done(key, next_after)
    finally:
        metrics.reconciled(time.monotonic() - started, result)
        current_key.set(None)
