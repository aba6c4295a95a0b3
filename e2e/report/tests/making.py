"""Results that a test knows the figures of, made by hand."""

from pathlib import Path

from e2e.load.results import (
    Arrivals,
    Checks,
    Goodput,
    Machine,
    Phase,
    Replica,
    Request,
    Results,
    Sample,
    Server,
)
from e2e.load.statistics import summarise
from e2e.timeline.steps import DownSteps, Metric, Point, ScaleDown, ScaleTimeline, ScaleUp, UpSteps, write

STARTED = 1_750_000_000.0
"""Of the autoscaled run; the others were before it, one after another."""

_BEFORE = {"benchmark": 4000, "spike": 3000, "stress": 2000, "soak": 1000, "autoscale": 0}
BOUNDS = Goodput(ttft_seconds=2, tpot_seconds=0.2)
TOKENS = 11
OPEN = Arrivals(kind="constant", rate=2)


def request(
    at: float, seconds: float = 1.0, *, phase: int = 0, status: int = 200, replica: str = "coder-a"
) -> Request:
    """A request that is answered after so many seconds, its first token after a tenth of them."""
    if status != 200:
        return Request(
            phase=phase, scheduled=at, sent=at, ended=at + seconds, status=status, error=f"HTTP {status}"
        )
    first, ended = at + seconds / 10, at + seconds
    return Request(
        phase=phase, scheduled=at, sent=at, first_token=first, last_token=ended, ended=ended, tokens=TOKENS, status=200,
        replica=replica, gaps=[(ended - first) / (TOKENS - 1)] * (TOKENS - 1),
    )  # fmt: skip


def phase(
    name: str,
    requests: list[Request],
    begin: float,
    end: float,
    *,
    arrivals: Arrivals = OPEN,
    problems: tuple[str, ...] = (),
) -> Phase:
    return Phase(
        name=name, begin=begin, end=end, arrivals=arrivals, summary=summarise(requests, begin, end, BOUNDS),
        checks=Checks(schedule_delay_p99=0.001, loop_delay_p99=0.001, sent_fraction=1.0, cpu_fraction=0.1),
        valid=not problems, problems=list(problems),
    )  # fmt: skip


def results(
    scenario: str,
    parts: list[tuple[Phase, list[Request]]],
    *,
    finished: bool = True,
    ready: int = 1,
    memory: int = 100 << 20,
) -> Results:
    """A run with a look at its replicas each second."""
    end = max((part.end for part, _ in parts), default=0.0)
    replicas = [
        Replica(name=f"coder-{letter}", ready=True, memory_bytes=memory) for letter in "abcde"[:ready]
    ]
    return Results(
        scenario=scenario, profile="ci", command=["codemodel-load", "run", scenario, "--profile", "ci"], seed=1,
        started=STARTED - _BEFORE[scenario], finished=finished, target="http://127.0.0.1:8080", streaming=True,
        machine=Machine(processor="A CPU", cores=2, memory_bytes=8 << 30, system="Linux 6", python="3.11.2"),
        server=Server(engine="llama-cpp", model="sample-coder", version="0.1.0", context_length=2048), goodput=BOUNDS,
        phases=[part for part, _ in parts], requests=[one for _, requests in parts for one in requests],
        samples=[Sample(at=float(second), replicas=replicas) for second in range(int(end))],
    )  # fmt: skip


def benchmark(*, finished: bool = True, problems: tuple[str, ...] = ()) -> Results:
    """Light: latencies of 0.1 to 1 s. Heavy: 2 s, a tenth of it refused; `problems` are those of heavy."""
    light = [request(number * 0.5, (number + 1) / 10) for number in range(10)]
    heavy = [
        request(10 + number * 0.5, 2.0, phase=1, status=429 if number == 3 else 200) for number in range(10)
    ]
    return results(
        "benchmark",
        [
            (phase("light", light, 0, 6, arrivals=Arrivals(kind="closed", clients=2)), light),
            (
                phase(
                    "heavy", heavy, 10, 16, arrivals=Arrivals(kind="closed", clients=10), problems=problems
                ),
                heavy,
            ),
        ],
        finished=finished,
    )


def spike() -> Results:
    parts = []
    for number, (name, rate) in enumerate((("before", 2.0), ("spike", 10.0), ("after", 2.0))):
        begin = number * 10.0
        sent = [request(begin + one / rate, rate / 10, phase=number) for one in range(int(rate * 10))]
        parts.append(
            (phase(name, sent, begin, begin + 10, arrivals=Arrivals(kind="poisson", rate=rate)), sent)
        )
    return results("spike", parts)


def stress(rates: tuple[float, ...] = (2, 9, 16, 9, 16, 9, 16), broken: float = 16) -> Results:
    """Steps of 10 s; from the broken rate on every second request is refused."""
    parts = []
    for number, rate in enumerate(rates):
        begin = number * 20.0
        sent = [
            request(
                begin + one / rate, rate / 10, phase=number, status=429 if rate >= broken and one % 2 else 200
            )
            for one in range(int(rate * 10))
        ]
        arrivals = Arrivals(kind="constant", rate=rate)
        parts.append((phase(f"{rate:g} rps", sent, begin, begin + 10, arrivals=arrivals), sent))
    return results("stress", parts)


def soak() -> Results:
    sent = [request(number / 2, 0.5) for number in range(240)]
    return results("soak", [(phase("soak", sent, 0, 120, arrivals=Arrivals(kind="poisson", rate=2)), sent)])


def autoscale() -> Results:
    sent = [request(float(number), 1.0) for number in range(100)]
    return results("autoscale", [(phase("under load", sent, 0, 100), sent)], ready=2)


def timeline() -> ScaleTimeline:
    """One replica, two from 40 s on, and one again after 90 s."""
    at = STARTED
    steps = UpSteps(
        metric_crossed=at + 20,
        desired_changed=at + 25,
        pod_created=at + 26,
        ready=at + 38,
        first_token=at + 42.5,
    )
    down = DownSteps(metric_below=at + 60)
    return ScaleTimeline(
        name="scaled",
        metric=Metric(type="Resource", name="cpu", target=70, unit="% of the request"),
        marks={"load-begins": at - 3, "replicas-answer": at + 57, "load-ends": at + 60},
        series=tuple(
            Point(
                at=at + second,
                load_rps=1.0,
                desired=2 if 25 <= second < 90 else 1,
                replicas=2 if 26 <= second < 91 else 1,
                ready=2 if 40 <= second < 92 else 1,
                metric=120.0 if 20 <= second < 60 else 10.0,
            )
            for second in range(0, 100, 2)
        ),
        scale_ups=(ScaleUp(before=1, after=2, replica="scaled-b", steps=steps),),
        scale_downs=(ScaleDown(before=2, after=1, at=at + 90, removed=("scaled-b",), steps=down),),
        durations=(),
    )  # fmt: skip


def write_all(folder: Path) -> Path:
    """Write a folder with every scenario, and return it."""
    for file, made in (
        ("benchmark_results.json", benchmark()), ("spike.json", spike()), ("stress.json", stress()),
        ("soak.json", soak()),
        ("autoscale.json", autoscale()),
    ):  # fmt: skip
        put(folder / file, made)
    write(timeline(), folder / "scaling.json")
    return folder


def put(path: Path, made: Results) -> Path:
    path.write_text(made.model_dump_json(), encoding="utf-8")
    return path
