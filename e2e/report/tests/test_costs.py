"""Costs, recomputed by hand."""

from datetime import date
from pathlib import Path

import pytest
import yaml

from e2e.campaign.parts import parts
from e2e.report import prices
from e2e.report.costs import Cost, Load, cost, idle_month, mean_ready
from e2e.report.errors import ReportError
from e2e.report.prices import DEFAULT, Machine, Replica
from e2e.report.runs import read
from e2e.report.sections.cost import costs
from e2e.report.tests.making import benchmark, put

MACHINE = Machine(
    provider="A cloud", name="large", region="here", vcpus=4, memory_gib=16, price_per_hour=0.4, currency="EUR",
    noted=date(2026, 1, 2), source="its list",
)  # fmt: skip
ONE_CPU, HALF_THE_MEMORY = Replica(cpu_cores=1, memory_gib=1), Replica(cpu_cores=1, memory_gib=8)


def test_a_replica_pays_for_its_larger_share() -> None:
    assert MACHINE.replica_price(ONE_CPU) == pytest.approx(0.1)
    assert MACHINE.replica_price(HALF_THE_MEMORY) == pytest.approx(0.2)


def test_two_replicas_at_ten_requests_a_second() -> None:
    # 0.2 an hour for 36,000 requests and 720,000 tokens.
    found = cost(Load(2, 10, 200), MACHINE, ONE_CPU)
    assert found.per_hour == pytest.approx(0.2)
    assert found.per_thousand_requests == pytest.approx(0.2 / 36)
    assert found.per_million_tokens == pytest.approx(0.2 / 0.72)


def test_nothing_answered_has_no_price_and_idle_replicas_have() -> None:
    assert cost(Load(1, 0, 0), MACHINE, ONE_CPU) == Cost(MACHINE.replica_price(ONE_CPU), None, None)
    assert idle_month(2, MACHINE, ONE_CPU) == pytest.approx(0.2 * 730)


def test_replicas_are_the_mean_of_the_looks_within_the_phase() -> None:
    looks = [(0.0, 1), (10.0, 2), (20.0, 3), (30.0, 5)]
    assert mean_ready(looks, 10, 20) == 2.5
    assert mean_ready(looks, 31, 40) is None


def test_the_table_has_the_price_of_each_load(tmp_path: Path) -> None:
    put(tmp_path / "benchmark_results.json", benchmark())
    known = prices.Prices(replica=ONE_CPU, machines=(MACHINE,))
    table = costs(read(tmp_path), known).blocks[3]
    # Light: ten answers of 11 tokens until the phase's end at 6 s, by one replica for 0.1 EUR an hour.
    assert table.rows[0] == [  # type: ignore[union-attr]
        "benchmark: light", "1.00", "1.67", "18.3", "0.0167", "1.52",
    ]  # fmt: skip


def test_the_prices_of_this_package_are_of_its_form_and_of_the_measured_replicas() -> None:
    found = prices.read(DEFAULT)
    assert len(found.machines) >= 3
    limits = {part.scenario: part.change["resources"]["limits"]["cpu"] for part in parts("full")}
    assert {scenario: cores(limit) for scenario, limit in limits.items()} == {
        scenario: found.of(scenario).cpu_cores for scenario in limits
    }


def cores(quantity: str) -> float:
    return float(quantity[:-1]) / 1000 if quantity.endswith("m") else float(quantity)


def test_a_file_of_prices_that_is_wrong_says_where(tmp_path: Path) -> None:
    good = yaml.safe_load(DEFAULT.read_text())
    for change, problem in (
        ({"price_per_hour": -1}, r"machines\.0\.price_per_hour: Input should be greater than 0"),
        ({"price_per_hour": float("nan")}, r"machines\.0\.price_per_hour"),
        ({"noted": "lately"}, r"machines\.0\.noted"),
        ({"colour": "red"}, r"machines\.0\.colour: Extra inputs"),
        ({"vcpus": 0.5}, "a replica is larger than e2-standard-4"),
    ):
        made = {**good, "machines": [{**good["machines"][0], **change}]}
        (tmp_path / "prices.yaml").write_text(yaml.safe_dump(made))
        with pytest.raises(ReportError, match=problem):
            prices.read(tmp_path / "prices.yaml")


@pytest.mark.parametrize("content", ["", "- 1", "a: [", "machines: []"])
def test_no_file_of_prices_is_named(tmp_path: Path, content: str) -> None:
    (tmp_path / "mine.yaml").write_text(content)
    with pytest.raises(ReportError, match=r"mine\.yaml"):
        prices.read(tmp_path / "mine.yaml")
    with pytest.raises(ReportError, match=r"nowhere\.yaml"):
        prices.read(tmp_path / "nowhere.yaml")
