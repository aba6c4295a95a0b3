import io

import pytest

from e2e.load.progress import Printer, Status, line
from e2e.load.results import Request
from e2e.load.scenario import PhasePlan
from e2e.load.tests.test_statistics import answered, failed

OPEN = PhasePlan.model_validate({"name": "peak", "arrivals": {"kind": "poisson", "rate": 15}, "seconds": 30})
CLOSED = PhasePlan.model_validate(
    {"name": "light", "arrivals": {"kind": "closed", "clients": 2}, "requests": 20}
)


def status(plan: PhasePlan = OPEN, seconds: float = 12.3, index: int = 0, ready: int | None = 2) -> Status:
    requests: list[Request] = [answered(0, 0.5), answered(0, 1.5), answered(0, 2.5), failed(429)]
    return Status("spike", plan, index, seconds, requests, under_way=7, ready=ready)


def test_the_line_tells_where_the_run_is() -> None:
    assert line(status()) == (
        "spike: peak, 12 of 30 s · 15 rps asked · 4 ended, 7 under way · 75% succeed · p50 1.50 s · 2 ready"
    )
    assert line(status(CLOSED, ready=None)).startswith("spike: light, 12 s · 2 clients · 4 ended")


def test_a_phase_that_has_no_answers_yet_tells_no_figures() -> None:
    assert line(status(index=1)) == "spike: peak, 12 of 30 s · 15 rps asked · 4 ended, 7 under way · 2 ready"


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_on_a_terminal_one_line_is_kept_up_to_date() -> None:
    out = Terminal()
    printer = Printer(out)
    for seconds in (1, 2):
        printer.show(status(seconds=seconds))
    printer.clear()
    assert "\n" not in out.getvalue()
    assert out.getvalue().count("\rspike") == 2
    assert out.getvalue().endswith("\r")


@pytest.mark.parametrize(("times", "lines"), [((0, 0.5, 9.9), 1), ((0, 10, 20), 3)])
def test_elsewhere_a_new_line_comes_every_ten_seconds(times: tuple[float, ...], lines: int) -> None:
    out, now = io.StringIO(), 0.0
    printer = Printer(out, clock=lambda: now)
    for at in times:
        now = at
        printer.show(status())
    assert out.getvalue().count("\n") == lines
    printer.show(status(index=1))
    assert out.getvalue().count("\n") == lines + 1
