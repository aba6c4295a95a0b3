"""Runs of the operator behind the fault proxy, and the oracle that each has to satisfy."""

import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from e2e.waiting import until

from ..control_plane.api import Manifest
from ..control_plane.bench import Bench
from ..control_plane.operators import Operator
from ..control_plane.snapshot import differences, snapshot
from .proxy import Proxy, no_faults
from .scenarios import Scenario, at_rest, create

T = TypeVar("T")

_SECONDS = 60
"""Time to get where it should be; a fault-free run takes two."""


@dataclass(frozen=True)
class Outcome:
    """What a run has come to."""

    state: dict[str, Manifest]
    pods: dict[str, int] | None
    """How many were created and deleted, None where that may differ."""

    writes: int
    """Requests of the operator that changed something because of what the user did first."""


class Run:
    """One operator in a namespace of its own, behind a proxy of its own."""

    def __init__(self, bench: Bench, namespace: str, proxy: Proxy, kubeconfig: Path) -> None:
        self.bench = bench
        self.namespace = namespace
        self.proxy = proxy
        self._kubeconfig = kubeconfig
        self._operator: Operator | None = None
        self.supervised = False
        """Whether the operator may end by itself, and is started again then, as Kubernetes does it."""

    @classmethod
    @contextmanager
    def begun(cls, bench: Bench) -> Iterator["Run"]:
        """Make everything but start no operator yet; whatever runs ends with this."""
        proxy = Proxy(bench.background, bench.session, bench.plane.url)
        with bench.namespace() as namespace, proxy.serving() as url:
            run = cls(bench, namespace, proxy, bench.plane.kubeconfig(namespace, url, bench.token))
            try:
                yield run
            finally:
                run.kill()

    @property
    def log(self) -> str:
        """What the operators have written, the last of it."""
        return self._operator.log.read_text()[-4000:] if self._operator else ""

    @property
    def ended(self) -> bool:
        """Whether the operator has ended."""
        return self._operator is not None and self._operator.ended

    def start(self) -> None:
        """Start an operator."""
        name = f"operator-{self.namespace}"
        self._operator = self.bench.operators.start(name, self._kubeconfig, f"--namespace={self.namespace}")

    def kill(self) -> None:
        """Kill the operator, if one runs."""
        if self._operator:
            self._operator.kill()

    def prepare(self, scenario: Scenario) -> None:
        """Start an operator and let it bring about what is there before the user acts."""
        self.start()
        if scenario.settled:
            create(self.bench.api, self.namespace)
            self.rests()

    def act(self, scenario: Scenario) -> None:
        """Do what the user does."""
        scenario.act(self.bench.api, self.namespace)

    def look(self) -> dict[str, Manifest]:
        """Return what exists."""
        if self.ended:
            assert self.supervised, f"the operator ended by itself:\n{self.log}"
            assert "Ending, to be started again" in self.log
            self.start()
        return snapshot(self.bench.api, self.namespace)

    def rests(self) -> None:
        """Wait until nothing is left to do."""
        until(self.look, at_rest, what=f"{self.namespace} to come to rest", seconds=_SECONDS)

    def watches(self, resource: str) -> bool:
        """Tell whether the operator has begun to watch a resource since the proxy's rule was set."""
        return any((r.verb, r.resource) == ("watch", resource) for r in self.proxy.requests)

    def comes_to(self, expected: Outcome, *, pods: bool = True, seconds: float = _SECONDS) -> None:
        """Hold the run to what a fault-free one has come to; the operator has ended then.

        Args:
            expected: what that is.
            pods: whether as many were created and deleted, too.
            seconds: how long it may take.

        Raises:
            AssertionError: it ends elsewhere, or pods were replaced without need.
        """
        state = expected.state
        try:
            until(
                lambda: differences(self.look(), state),
                lambda lines: not lines,
                what="the state",
                seconds=seconds,
            )
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.log}") from None
        self.stop()
        # Its last reconcile may have undone it.
        assert not differences(snapshot(self.bench.api, self.namespace), state)
        if pods and expected.pods is not None:
            assert self.bench.pods(self.namespace) == expected.pods

    def stop(self) -> None:
        """End the operator when it is done with what it does."""
        assert self._operator
        self._operator.stop()


def look_until(good: Callable[[], object], *, what: str, seconds: float = _SECONDS) -> None:
    """Wait until it is so, at most so many seconds."""
    until(good, what=what, seconds=seconds)


def all_of(executor: ThreadPoolExecutor, calls: Iterable[Callable[[], T]]) -> list[T]:
    """Return what the calls return; the first that fails ends it, and those that have not begun never do."""
    futures = [executor.submit(call) for call in calls]
    done, waiting = wait(futures, return_when=FIRST_EXCEPTION)
    for future in waiting:
        future.cancel()
    for future in done:
        future.result()
    return [future.result() for future in futures]


class Expectations:
    """What fault-free runs come to; each scenario is run once, when it is first asked for."""

    def __init__(self, bench: Bench) -> None:
        self._bench = bench
        self._known: dict[str, Outcome] = {}
        self._lock = threading.Lock()

    def of(self, scenario: Scenario) -> Outcome:
        """Return what a scenario comes to."""
        with self._lock:
            if scenario.name not in self._known:
                self._known[scenario.name] = self._run(scenario)
            return self._known[scenario.name]

    def _run(self, scenario: Scenario) -> Outcome:
        with Run.begun(self._bench) as run:
            run.prepare(scenario)
            run.proxy.obey(no_faults)
            run.act(scenario)
            run.rests()
            writes = max((request.write for request in run.proxy.requests), default=0)
            if scenario.afterwards:
                scenario.afterwards(self._bench.api, run.namespace)
                run.rests()
            run.stop()
            pods = self._bench.pods(run.namespace) if scenario.counted else None
            return Outcome(snapshot(self._bench.api, run.namespace), pods, writes)
