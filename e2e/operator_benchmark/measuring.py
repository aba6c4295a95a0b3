"""The cases in their order, for one operator or for ours and the peer in turns."""

import asyncio
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import TypeVar

import httpx

from e2e.kubectl import kubectl
from e2e.operator_benchmark import api, cases, figures
from e2e.operator_benchmark.figures import Figure
from e2e.operator_benchmark.operators import Operator, UnsettledError, settle, writes
from e2e.waiting import until

T = TypeVar("T")

NAMESPACE = "bench-operator"
_NAMESPACES = _ONE, _MANY, _ALONE = f"{NAMESPACE}-one", f"{NAMESPACE}-many", f"{NAMESPACE}-alone"
EDITS = 20
_DELETION_SECONDS = 900
"""The garbage collector deletes about 20 objects a second; a thousand CodeModels have ten thousand."""


def measure(ours: Operator, theirs: Operator | None, one: int, many: int) -> Iterator[str]:
    """Measure every case, for one operator after the other on the same API server.

    Args:
        ours: our operator.
        theirs: the peer; None to measure ours alone.
        one: custom resources one at a time.
        many: custom resources at once.

    Raises:
        BenchmarkError: it cannot be measured; the message says what to do.
        KubectlError: the cluster does not do what it is told.
        httpx.HTTPError: the API server or an operator does not answer.
    """
    for case, count in ((_one, one), (_many, many)):
        mine = case(ours, count)
        yield from figures.lines(mine, None if theirs is None else case(theirs, count))


def _one(operator: Operator, count: int) -> list[Figure]:
    say(f"One custom resource at a time, {count} of them, {operator.name} …")
    _clear()
    with _namespace(_ONE) as namespace:
        _begin(operator, namespace)
        taken = _run(lambda client: cases.one_at_a_time(client, namespace, operator, count))
        _settled(operator)
        say(f"The children of one at a time, {count} of them, without any operator …")
        with _namespace(_ALONE) as beside:
            alone = _run(lambda client: cases.alone_one_at_a_time(client, beside, namespace, count))
        return [*figures.one_at_a_time(taken), *figures.alone_one_at_a_time(alone)]


def _many(operator: Operator, count: int) -> list[Figure]:
    say(f"{count} custom resources at once, {operator.name} …")
    _clear()
    with _namespace(_MANY) as namespace:
        _begin(operator, namespace)
        before = operator.requests()
        began = time.monotonic()
        seconds = _run(lambda client: cases.at_once(client, namespace, operator, count))
        say("Waiting until nothing is left to do …")
        ended = _settled(operator)
        rest = None if ended is None else ended - began
        counted, peak = operator.requests() - before, operator.peak_mebibytes()
        changed = min(EDITS, count)
        say(f"{changed} changes, one at a time …")
        edits = _run(lambda client: cases.edits(client, namespace, operator, changed))
        _settled(operator)
        say("A new operator looks at all of them …")
        cases.resync(operator, count)
        _settled(operator)
        written, start = writes(operator.requests()), operator.peak_mebibytes()
        say(f"The children of {count} custom resources, without any operator …")
        with _namespace(_ALONE) as beside:
            alone = _run(lambda client: cases.alone_at_once(client, beside, namespace, count))
        return [
            *figures.at_once(seconds, rest, counted, peak, count),
            figures.edits(edits, count),
            *figures.resync(written, start, count),
            figures.alone_at_once(alone, count),
        ]


def _settled(operator: Operator) -> float | None:
    """When the operator had nothing left to do; None if it goes on and on, which some peers do."""
    try:
        return settle(operator.requests)
    except UnsettledError as error:
        say(f"… {error} Going on.")
        return None


def _begin(operator: Operator, namespace: str) -> None:
    operator.restart()
    operator.prepare(namespace)
    settle(operator.requests)


def _run(case: Callable[[httpx.AsyncClient], Awaitable[T]]) -> T:
    async def connected() -> T:
        async with api.connect() as client:
            return await case(client)

    return asyncio.run(connected())


def _clear() -> None:
    """Wait until all of the case before is gone: its deletion would be measured, too."""
    for name in _NAMESPACES:
        _remove(name)
    for name in _NAMESPACES:
        say(f"Waiting until there is no namespace {name} …")
        until(partial(_gone, name), what=f"namespace {name} to be gone", seconds=_DELETION_SECONDS)


@contextmanager
def _namespace(name: str) -> Iterator[str]:
    """A namespace that is there while the body runs; afterwards it goes, with all that is in it."""
    kubectl("create", "namespace", name)
    try:
        yield name
    finally:
        say(f"Removing namespace {name}, which goes on for some minutes …")
        _remove(name)


def _remove(name: str) -> None:
    kubectl("delete", "namespace", name, "--ignore-not-found", "--wait=false")


def _gone(name: str) -> bool:
    return not kubectl("get", "namespace", name, "--ignore-not-found", "-o", "name").strip()


def say(text: str) -> None:
    """Tell a person what happens: standard output is for figures."""
    print(text, file=sys.stderr, flush=True)
