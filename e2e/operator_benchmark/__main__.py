"""`python -m e2e.operator_benchmark`: the operator on the kind cluster, lines of JSON on standard output."""

import argparse
import asyncio
import statistics
import sys
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar

import httpx

from e2e.benchmark import end_as_with_ctrl_c, line, percentile, positive
from e2e.kubectl import KubectlError, kubectl
from e2e.operator_benchmark import api, cases, process
from e2e.operator_benchmark.cases import BenchmarkError

T = TypeVar("T")

BENCH = "operator"
NAMESPACE = "bench-operator"
EDITS = 20

# LLMKube v0.9.19's manager outside the cluster, on this kind of machine; not measured in the same run.
ONE_MEDIAN_SECONDS, ONE_P99_SECONDS = 0.040, 0.120
AT_ONCE_SECONDS = 22.0
PEAK_MIB = 110.0


def main() -> None:
    """Measures, and ends with 0 whatever the figures are: each line says whether its goal is met."""
    chosen = _parse(sys.argv[1:])
    end_as_with_ctrl_c()
    try:
        for text in _measure(chosen.one, chosen.many):
            print(text, flush=True)
    except (BenchmarkError, KubectlError, httpx.HTTPError) as error:
        sys.exit(f"✗ {error}")
    except KeyboardInterrupt:
        sys.exit("interrupted: what it created is removed")


def _measure(one: int, many: int) -> Iterator[str]:
    _say(f"One CodeModel at a time, {one} of them …")
    with _namespace(f"{NAMESPACE}-one"):
        process.restart()
        process.settle()
        yield from _one(asyncio.run(_with_client(cases.one_at_a_time, f"{NAMESPACE}-one", one)))
    _say(f"{many} CodeModels at once …")
    with _namespace(f"{NAMESPACE}-many"):
        process.restart()
        process.settle()
        before = process.requests()
        seconds = asyncio.run(_with_client(cases.at_once, f"{NAMESPACE}-many", many))
        yield line(
            BENCH,
            f"{many} at once, until the last has its children",
            "s",
            seconds,
            target=AT_ONCE_SECONDS,
            ok=seconds <= AT_ONCE_SECONDS,
        )
        _say("Waiting until nothing is left to do …")
        process.settle()
        yield from _requests(process.requests() - before, many)
        peak = process.peak_mebibytes()
        yield line(BENCH, f"peak memory with {many}", "MiB", peak, target=PEAK_MIB, ok=peak <= PEAK_MIB)
        _say(f"{min(EDITS, many)} changes, one at a time …")
        edits = asyncio.run(_with_client(cases.edits, f"{NAMESPACE}-many", min(EDITS, many)))
        yield line(
            BENCH, f"edit to new Deployment, with {many} present, median", "s", statistics.median(edits)
        )
        _say("A new operator looks at all of them …")
        written = cases.writes_of_a_resync(many)
        yield line(BENCH, f"writes of a resync of {many}", "requests", written, target=0, ok=written == 0)


def _one(seconds: Sequence[float]) -> Iterator[str]:
    for name, percent, target in (("median", 50, ONE_MEDIAN_SECONDS), ("p99", 99, ONE_P99_SECONDS)):
        value = percentile(seconds, percent)
        yield line(
            BENCH, f"one at a time, until it has its children, {name}", "s", value, target=target,
            ok=value <= target,
        )  # fmt: skip


def _requests(counted: Counter[str], many: int) -> Iterator[str]:
    yield line(BENCH, "requests of a CodeModel", "requests", counted.total() / many)
    for what, number in sorted(counted.items()):
        yield line(BENCH, f"requests of a CodeModel, {what}", "requests", number / many)


async def _with_client(case: Callable[..., Awaitable[T]], namespace: str, count: int) -> T:
    async with api.connect() as client:
        return await case(client, namespace, count)


@contextmanager
def _namespace(name: str) -> Iterator[None]:
    """A namespace that is there while the body runs, and gone with all that is in it afterwards."""
    kubectl("delete", "namespace", name, "--ignore-not-found", "--wait=true")
    kubectl("create", "namespace", name)
    try:
        yield
    finally:
        _say(f"Removing namespace {name} …")
        kubectl("delete", "namespace", name, "--ignore-not-found", "--wait=false")


def _parse(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m e2e.operator_benchmark",
        description="Measure the operator that runs on the kind cluster: it is restarted, and namespaces "
        f"{NAMESPACE}-… come and go. About four minutes; the machine should do nothing else.",
    )
    parser.add_argument(
        "--one", type=positive, default=100, metavar="N", help="CodeModels one at a time (default: 100)"
    )
    parser.add_argument(
        "--many", type=positive, default=1000, metavar="N", help="CodeModels at once (default: 1000)"
    )
    return parser.parse_args(arguments)


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
