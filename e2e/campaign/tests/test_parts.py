from pathlib import Path

import pytest

from e2e.campaign.parts import AUTOSCALE, COOLDOWNS, TIMELINE, Part, ended, finished, load_command, parts
from e2e.load import scenario
from e2e.load.cli import main as codemodel_load
from e2e.load.results import Arrivals, Checks, Goodput, Machine, Phase, Results, Server
from e2e.load.scenario import Profile
from e2e.load.statistics import summarise
from e2e.timeline import scaling
from e2e.timeline.steps import ScaleTimeline, write

MINUTES = {"full": 120, "ci": 15}
AROUND_SECONDS = 240
"""What is around the loads: two rollouts, the first metric and the report."""

PROFILES = pytest.mark.parametrize("profile", COOLDOWNS)


def results(*, finished: bool = True, profile: str = "ci") -> Results:
    return Results(
        scenario="any",
        profile=profile,
        command=["codemodel-load"],
        seed=1,
        started=1000.0,
        finished=finished,
        target="http://127.0.0.1:8082",
        streaming=True,
        machine=Machine(processor="any", cores=2, memory_bytes=None, system="any", python="3.11"),
        server=Server(),
        goodput=Goodput(ttft_seconds=1, tpot_seconds=1),
        phases=[],
        requests=[],
        samples=[],
    )


def keep(folder: Path, part: Part, found: Results) -> None:
    (folder / part.results).write_text(found.model_dump_json(by_alias=True))


def plan(part: Part, profile: str) -> Profile:
    return scenario.load(part.path or part.scenario).profile(profile)


def longest(profile: Profile) -> float:
    """Seconds that a scenario sends load at most, without those phases that end by their number of requests."""
    if ramp := profile.ramp:
        return ramp.seconds * (len(list(ramp.rates())) + 2 * ramp.confirmations)
    return sum(phase.seconds or 0 for phase in profile.phases)


@PROFILES
def test_each_part_writes_the_results_that_are_looked_for(profile: str) -> None:
    for part in parts(profile):
        found = scenario.load(part.path or part.scenario)
        assert (found.scenario, found.results) == (part.scenario, part.results)


@PROFILES
def test_a_campaign_ends_in_time(profile: str) -> None:
    seconds = sum(longest(plan(part, profile)) for part in parts(profile))
    assert seconds + AROUND_SECONDS < 60 * MINUTES[profile]


def autoscale(profile: str) -> Part:
    return next(part for part in parts(profile) if part.scenario == AUTOSCALE)


@PROFILES
def test_the_load_of_autoscale_outlasts_the_cooldown(profile: str) -> None:
    before, load, after = plan(autoscale(profile), profile).phases
    assert (before.name, load.name, after.name) == ("before", "load", "after")
    assert (after.seconds or 0) > scaling.down_seconds(COOLDOWNS[profile])
    assert (load.seconds or 0) > 2 * scaling.UP_SECONDS


def test_what_is_finished_is_known_by_its_file(tmp_path: Path) -> None:
    part = parts("ci")[0]
    assert not finished(part, tmp_path, "ci")
    keep(tmp_path, part, results())
    assert finished(part, tmp_path, "ci")
    assert not finished(part, tmp_path, "full")


@pytest.mark.parametrize("text", ["", "{}", results(finished=False).model_dump_json(by_alias=True)])
def test_what_was_cut_off_is_not_finished(tmp_path: Path, text: str) -> None:
    part = parts("ci")[0]
    (tmp_path / part.results).write_text(text)
    assert not finished(part, tmp_path, "ci")


def test_what_the_generator_could_not_send_in_time_runs_again(tmp_path: Path) -> None:
    part = parts("ci")[0]
    late = Phase(
        name="light",
        begin=0.0,
        end=1.0,
        arrivals=Arrivals(kind="constant", rate=1.0),
        summary=summarise([], 0.0, 1.0, results().goodput),
        checks=Checks(schedule_delay_p99=9.0, loop_delay_p99=None, sent_fraction=0.1, cpu_fraction=1.0),
        valid=False,
        problems=["requests were sent late"],
    )
    keep(tmp_path, part, results().model_copy(update={"phases": [late]}))
    assert not finished(part, tmp_path, "ci")


def test_autoscale_is_finished_with_its_timeline(tmp_path: Path) -> None:
    part = autoscale("ci")
    keep(tmp_path, part, results())
    assert not finished(part, tmp_path, "ci")
    empty = ScaleTimeline(
        name="any", metric=None, marks={}, series=(), scale_ups=(), scale_downs=(), durations=()
    )
    write(empty, tmp_path / TIMELINE)
    assert finished(part, tmp_path, "ci")


@PROFILES
def test_the_command_is_one_that_codemodel_load_knows(
    profile: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for part in parts(profile):
        command = load_command(part, "http://127.0.0.1:1", tmp_path, profile)
        words = command[command.index("e2e.load") + 1 :]
        assert codemodel_load(words) == 2  # nothing listens there
        assert "nothing answers at http://127.0.0.1:1" in capsys.readouterr().err


@pytest.mark.parametrize(("status", "words"), [(0, ""), (1, "not valid"), (2, "status 2"), (-9, "status -9")])
def test_how_a_load_ended_is_told(status: int, words: str) -> None:
    assert words in "".join(ended(status))
    assert bool(ended(status)) == (status != 0)
