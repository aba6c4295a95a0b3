"""docs/load.md names every flag, scenario, field and bound."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from e2e.load import checks, cli, scenario, soak
from e2e.load.results import Results
from e2e.load.scenario import Scenario

TEXT = (Path(__file__).resolve().parents[3] / "docs" / "load.md").read_text(encoding="utf-8")
NAMED = set(re.findall(r"`([^`\n]+)`", re.sub(r"^```.*?^```$", "", TEXT, flags=re.MULTILINE | re.DOTALL)))


def fields(schema: Any) -> Iterator[str]:
    """All names of fields in a JSON schema and its definitions."""
    for part in (schema, *schema.get("$defs", {}).values()):
        yield from part.get("properties", {})


def test_every_flag_of_run_is_documented_with_its_default(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        cli.main(["run", "--help"])
    flags = set(re.findall(r"^  (--[a-z-]+)", capsys.readouterr().out, re.MULTILINE))
    assert flags
    assert flags <= NAMED
    assert {cli.TARGET, str(cli.OUTPUT)} <= NAMED


def test_every_scenario_is_documented() -> None:
    assert {*scenario.names(), *(scenario.load(name).results for name in scenario.names())} <= NAMED


def test_every_field_of_the_results_is_documented() -> None:
    assert set(fields(Results.model_json_schema())) <= NAMED


def test_the_bounds_are_those_of_the_code() -> None:
    assert f"| {checks.MAX_DELAY_SECONDS} s, or a tenth of the p99" in TEXT
    assert checks.MAX_DELAY_FRACTION == 0.1
    assert f"| at least {checks.MIN_SENT_FRACTION} |" in TEXT
    assert f"| at most {checks.MAX_CPU_FRACTION} |" in TEXT
    assert f"less than {soak.MIN_SUCCESS:.0%}".replace("%", " %") in TEXT
    assert f"above {soak.MAX_MEMORY_GROWTH:.0%} of its memory".replace("%", " %") in TEXT
    assert f"above {soak.MAX_LATENCY_GROWTH:.0%} of the latency".replace("%", " %") in TEXT
    assert TEXT.count(f"at least {soak.MIN_SEEN_GROWTH:.0%} was added".replace("%", " %")) == 2
    assert f"The first {soak.WARM_UP:.0%} of the run".replace("%", " %") in TEXT
    bounds = f"{scenario.MAX_CLIENTS} clients, {scenario.MAX_RATE:g}\nrequests/s, one hour and {scenario.MAX_REQUESTS}"
    assert bounds in TEXT


def test_the_example_is_a_scenario() -> None:
    [block] = re.findall(r"^```yaml\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
    data = yaml.safe_load(block)
    example = Scenario.model_validate(data)
    assert set(fields(Scenario.model_json_schema())) <= {*data, *re.findall(r"(\w+):", block)}
    assert set(example.profiles) == {"full", "ci"}
