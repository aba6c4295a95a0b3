from pathlib import Path
from typing import Any

import pytest
import yaml

from e2e.load import scenario
from e2e.load.scenario import FOLDER, Closed, Open, ScenarioError


def phases(name: str) -> list[tuple[float, float | None]]:
    """Clients or rate, and requests or seconds, of the full profile."""
    told = []
    for plan in scenario.load(name).profile("full").phases:
        much = plan.arrivals.clients if isinstance(plan.arrivals, Closed) else plan.arrivals.rate
        told.append((much, plan.requests or plan.seconds))
    return told


def test_the_full_profiles_are_what_they_are_known_for() -> None:
    assert scenario.names() == ["benchmark", "soak", "spike", "stress"]
    assert phases("benchmark") == [(2, 20), (5, 50), (10, 100)]
    assert scenario.load("benchmark").results == "benchmark_results.json"
    before, peak, higher, after = phases("spike")
    assert [before, after] == [(2, 30)] * 2
    assert all(15 <= rate <= 20 for rate, _ in (peak, higher))
    assert sum(seconds or 0 for _, seconds in (peak, higher)) == 30
    [(rate, seconds)] = phases("soak")
    assert rate == 5
    assert 600 <= (seconds or 0) <= 1800
    ramp = scenario.load("stress").profile("full").ramp
    assert ramp
    assert (ramp.first, ramp.step, ramp.last, ramp.seconds) == (1, 3, 30, 60)
    assert (ramp.success_below, ramp.latency_above_seconds, ramp.confirmations) == (0.95, 10, 3)
    assert list(ramp.rates()) == [1, 4, 7, 10, 13, 16, 19, 22, 25, 28, 30]


@pytest.mark.parametrize("name", scenario.names())
def test_the_ci_profile_is_shorter_and_fits_in_ten_minutes(name: str) -> None:
    found = scenario.load(name)
    assert found.scenario == name
    lengths = []
    for profile in ("full", "ci"):
        plan = found.profile(profile)
        if ramp := plan.ramp:
            steps = len(list(ramp.rates())) + 2 * ramp.confirmations
            lengths.append(steps * ramp.seconds)
        else:
            lengths.append(sum(phase.seconds or phase.requests or 0 for phase in plan.phases))
    full, short = lengths
    assert short < full
    assert short <= 600


def changed(tmp_path: Path, change: Any) -> str:
    data = yaml.safe_load((FOLDER / "spike.yaml").read_text(encoding="utf-8"))
    change(data)
    path = tmp_path / "mine.yaml"
    path.write_text(yaml.safe_dump(data), encoding="utf-8")
    return str(path)


def test_a_scenario_of_ones_own_is_read_from_its_file(tmp_path: Path) -> None:
    mine = scenario.load(changed(tmp_path, lambda data: data.update(max_tokens=5)))
    assert mine.max_tokens == 5
    first = mine.profile("full").phases[0]
    assert first.arrivals == Open(kind="poisson", rate=2)


def full(data: dict[str, Any]) -> dict[str, Any]:
    phase: dict[str, Any] = data["profiles"]["full"]["phases"][0]
    return phase


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda data: data.update(prompts=[]), "prompts"),
        (lambda data: data.update(speed=3), "speed"),
        (lambda data: full(data).update(requests=5), "either requests or seconds"),
        (lambda data: full(data).pop("seconds"), "either requests or seconds"),
        (lambda data: full(data).update(seconds=None, requests=5), "open arrivals end after seconds"),
        (
            lambda data: full(data).update(seconds=3600, arrivals={"kind": "constant", "rate": 100}),
            "20000 requests",
        ),
        (lambda data: full(data).update(arrivals={"kind": "closed", "clients": 1000}), "256"),
        (lambda data: data["profiles"]["full"].update(phases=[]), "either phases or a ramp"),
        (lambda data: data.update(results="../x.json"), "results"),
    ],
)
def test_a_wrong_file_is_refused_with_what_is_wrong(tmp_path: Path, change: Any, message: str) -> None:
    with pytest.raises(ScenarioError, match=message):
        scenario.load(changed(tmp_path, change))


def test_what_is_no_scenario_is_told(tmp_path: Path) -> None:
    with pytest.raises(ScenarioError, match="choose benchmark, soak, spike, stress"):
        scenario.load("spkie")
    with pytest.raises(ScenarioError, match="cannot be read"):
        scenario.load(str(tmp_path / "none.yaml"))
    (tmp_path / "bad.yaml").write_text("a: [", encoding="utf-8")
    with pytest.raises(ScenarioError, match="is not YAML"):
        scenario.load(str(tmp_path / "bad.yaml"))
    only_full = scenario.load(changed(tmp_path, lambda data: data["profiles"].pop("ci")))
    with pytest.raises(ScenarioError, match="no profile ci: choose full"):
        only_full.profile("ci")
