"""The operator is killed before and after each of its writes, and starts again."""

from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest

from ..control_plane.bench import Bench
from ..tally import count_runs
from .faults import Hold
from .proxy import Fault, no_faults
from .requests import Request
from .runs import Expectations, Outcome, Run, all_of, look_until
from .scenarios import SCENARIOS, Scenario, at_rest


@pytest.mark.timeout(600)
@pytest.mark.parametrize("committed", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_killed_at_each_write(
    bench: Bench,
    expectations: Expectations,
    together: ThreadPoolExecutor,
    scenario: Scenario,
    committed: bool,
) -> None:
    expected = expectations.of(scenario)
    assert expected.writes
    writes = range(1, expected.writes + 1)
    killed = all_of(
        together, (partial(_killed, bench, scenario, expected, write, committed) for write in writes)
    )
    count_runs(f"killed {'after' if committed else 'before'} a write ({scenario.name})", sum(killed))
    # A status that says two things at once is one write less.
    assert sum(killed) >= len(killed) / 2
    assert killed[0]


def _killed(bench: Bench, scenario: Scenario, expected: Outcome, write: int, committed: bool) -> bool:
    """Return whether it came to the kill: a run may need fewer writes than another."""
    at, beyond = Hold(), Hold()

    def rule(request: Request) -> Fault | None:
        if request.write == write:
            return at.after if committed else at.before
        return beyond.before if request.write > write else None

    with Run.begun(bench) as run:
        run.prepare(scenario)
        run.proxy.obey(rule)
        run.act(scenario)
        look_until(lambda: at.reached.is_set() or at_rest(run.look()), what=f"write {write}")
        run.kill()
        run.proxy.obey(no_faults)
        if scenario.afterwards:
            scenario.afterwards(bench.api, run.namespace)
        run.start()
        # Killed before its rollout, it never began with that.
        run.comes_to(expected, pods=scenario.afterwards is None)
        return at.reached.is_set()
