"""The benchmark's figures, and the lines of JSON that ours and the peer's come to."""

import statistics
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from e2e.benchmark import line, percentile
from e2e.operator_benchmark.operators import writes

BENCH = "operator"

# What ours may be: of the peer's, and where there is no peer on a machine of two cores.
MEDIAN_RATIO, MEDIAN_SECONDS = 0.5, 0.040
P99_RATIO, P99_SECONDS = 0.75, 0.120
AT_ONCE_RATIO, AT_ONCE_SECONDS = 0.5, 22.0
PEAK_RATIO, PEAK_MIB = 1.0, 110.0
REQUESTS_RATIO = 1.0


@dataclass(frozen=True, slots=True)
class Figure:
    """What one operator came to in one case.

    Attributes:
        case: what was measured; the same for all operators.
        unit: what it counts.
        value: how much.
        ratio: what ours / theirs is to be at most; None only reports.
        limit: what ours is to be at most where there is no peer to compare with; None only reports.
    """

    case: str
    unit: str
    value: float
    ratio: float | None = None
    limit: float | None = None


def one_at_a_time(seconds: Sequence[float]) -> Iterator[Figure]:
    """Figures of custom resources made one at a time.

    Args:
        seconds: from the creation of each until its last child.
    """
    case = "one at a time, until it has its children"
    yield Figure(f"{case}, median", "s", percentile(seconds, 50), MEDIAN_RATIO, MEDIAN_SECONDS)
    yield Figure(f"{case}, p99", "s", percentile(seconds, 99), P99_RATIO, P99_SECONDS)


def at_once(
    seconds: float, rest: float | None, counted: Counter[str], peak: float, many: int
) -> Iterator[Figure]:
    """Figures of custom resources made all at once.

    Args:
        seconds: until the last one had its children.
        rest: seconds until the operator had nothing left to do; None if that was not waited for.
        counted: requests that the operator sent because of them, by what begins with the method.
        peak: most resident memory that it had, in MiB.
        many: how many they were.
    """
    yield Figure(
        f"{many} at once, until the last has its children", "s", seconds, AT_ONCE_RATIO, AT_ONCE_SECONDS
    )
    if rest is not None:
        yield Figure(f"{many} at once, until nothing is left to do", "s", rest)
    yield Figure(f"peak memory with {many}", "MiB", peak, PEAK_RATIO, PEAK_MIB)
    yield Figure("requests of a custom resource", "requests", counted.total() / many, REQUESTS_RATIO)
    yield Figure("writes of a custom resource", "requests", writes(counted) / many, REQUESTS_RATIO)
    for what, number in sorted(counted.items()):
        if " " in what:  # an operator that tells of methods alone has told it by now
            yield Figure(f"requests of a custom resource, {what}", "requests", number / many)


def edits(seconds: Sequence[float], many: int) -> Figure:
    """The figure of changes.

    Args:
        seconds: from each change until its Deployment's new generation.
        many: how many custom resources there are.
    """
    median = statistics.median(seconds)
    return Figure(f"edit to new Deployment, with {many} present, median", "s", median)


def resync(written: int, peak: float, many: int) -> Iterator[Figure]:
    """Figures of an operator's start beside custom resources that have all they need: nothing is to be written.

    Args:
        written: requests that may have changed something.
        peak: most resident memory that it has had since, in MiB.
        many: how many custom resources there are.
    """
    yield Figure(f"writes of a resync of {many}", "requests", written, limit=0)
    yield Figure(f"peak memory of a start beside {many}", "MiB", peak)


def alone_one_at_a_time(seconds: Sequence[float]) -> Iterator[Figure]:
    """Figures of the children of one alone: what the API server takes, whatever the operator.

    Args:
        seconds: from the first request for each until its last child.
    """
    case = "the children of one, without any operator"
    yield Figure(f"{case}, median", "s", percentile(seconds, 50))
    yield Figure(f"{case}, p99", "s", percentile(seconds, 99))


def alone_at_once(seconds: float, many: int) -> Figure:
    """The figure of the children alone: what the API server and Kubernetes' controllers take, whatever the operator.

    Args:
        seconds: until the last one was there.
        many: of how many custom resources they were.
    """
    return Figure(f"the children of {many}, without any operator", "s", seconds)


def lines(ours: Sequence[Figure], theirs: Sequence[Figure] | None) -> Iterator[str]:
    """Ours as lines of JSON, each beside the peer's figure of the same case.

    Args:
        ours: a line each.
        theirs: None when no peer was measured.
    """
    others = {figure.case: figure.value for figure in theirs or ()}
    for figure in ours:
        other = others.get(figure.case)
        ratio = figure.value / other if other else None
        target, ok = None, None
        if ratio is not None and figure.ratio is not None:
            target, ok = figure.ratio, ratio <= figure.ratio
        elif figure.limit is not None:
            target, ok = figure.limit, figure.value <= figure.limit
        yield line(BENCH, figure.case, figure.unit, figure.value, other, ratio=ratio, target=target, ok=ok)
