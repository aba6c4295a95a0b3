from collections.abc import Callable
from typing import Any

import pytest

from e2e.load.results import Goodput, Request
from e2e.load.scenario import Scenario

MakeRequest = Callable[..., Request]


@pytest.fixture
def make_scenario() -> Callable[..., Scenario]:
    """A scenario of these phases (or this ramp), with changes."""

    def make(*phases: dict[str, Any], ramp: dict[str, Any] | None = None, **changes: Any) -> Scenario:
        return Scenario.model_validate(
            {
                "scenario": "test",
                "about": "a test",
                "results": "test.json",
                "prompts": ["task {n}"],
                "max_tokens": 3,
                "timeout_seconds": 30,
                "goodput": Goodput(ttft_seconds=1, tpot_seconds=1),
                "profiles": {"full": {"ramp": ramp} if ramp else {"phases": phases}},
                **changes,
            }
        )

    return make
