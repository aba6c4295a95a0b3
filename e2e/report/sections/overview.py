"""The sections that frame the others: summary, machine, method, what was not measured, and how to measure again."""

from collections.abc import Iterator

from e2e.load.results import Results
from e2e.load.soak import judge as judge_soak
from e2e.load.target import is_loopback
from e2e.report import breaking
from e2e.report.document import Block, Caution, Command, Items, Section, Table, Text
from e2e.report.formats import NOTHING, moment, number, percent
from e2e.report.graphs.courses import span
from e2e.report.prices import Prices
from e2e.report.runs import FILES, Folder, Part
from e2e.report.sections.cost import cheapest
from e2e.report.sections.missing import mark
from e2e.report.sections.scaling import meanwhile, story
from e2e.report.sections.stress import verdict

_ABOUT = {
    "benchmark": "latency and throughput by number of clients",
    "spike": "what a sudden load does",
    "stress": "the breaking point",
    "soak": "whether memory or latency grows",
    "autoscale": "load while the autoscaler works",
}


def summary(folder: Folder, prices: Prices) -> Section:
    """Return the findings in a few sentences, doubts first."""
    doubts = [doubt for run in folder.runs.values() for doubt in [*run.doubts, *run.contradictions]]
    cautions: list[Block] = [Caution(f"Not to be relied on: {doubt}.") for doubt in doubts]
    missing = [f"{scenario} ({_ABOUT[scenario]})" for scenario in FILES if scenario not in folder.runs]
    if folder.timeline is None:
        missing.append("the recording of the autoscaler's work")
    price = cheapest(folder, prices)
    items = [
        *_findings(folder),
        *([price] if price else []),
        *([f"Not in this report, as it was not run: {', '.join(missing)}."] if missing else []),
    ]
    return Section("Summary", [*cautions, Items(items)])


def machine(folder: Folder) -> Section:
    """Return where, when and with what it was measured."""
    if not folder.runs:
        return Section("Machine and versions", [Text("No run tells of its machine.")])
    return Section("Machine and versions", [_machines(folder), _servers(folder)])


def method(folder: Folder) -> Section:
    """Return how it was measured."""
    bounds = sorted(
        {(one.results.goodput.ttft_seconds, one.results.goodput.tpot_seconds) for one in folder.runs.values()}
    )
    kept = "; ".join(
        f"first token within {ttft:g} s and {1000 * tpot:g} ms per later token" for ttft, tpot in bounds
    )
    items = [
        "Everything is computed from the raw requests in the results files when the report is made.",
        "Latency and the time to the first token count from the moment that a request was scheduled, not from when it "
        "was sent: a slow server cannot hide by slowing the generator down (no coordinated omission).",
        "Closed loads have so many clients, each sending when its last request is answered. Open loads (constant, "
        "poisson) send so many requests a second, whatever becomes of them.",
        "Percentiles are by nearest rank, and of complete answers. Rates are of complete answers, over the time until "
        "the last of them.",
        "A load is marked invalid where the generator was the bottleneck, and a run unfinished where it was stopped.",
        "Memory is the resident set of each replica's process, as the replica tells it about once a second.",
        *([f"Bounds of goodput: {kept}."] if kept else []),
    ]
    return Section("Method", [Items(items)])


def unmeasured(folder: Folder) -> Section:
    """Return what these results do not show, and why."""
    return Section("What was not measurable here, and why", [Items(list(_limits(folder)))])


def reproduction(folder: Folder) -> Section:
    """Return the command of each figure."""
    rows = [[scenario, run.file, run.command] for scenario, run in folder.runs.items()]
    return Section(
        "How to measure it again",
        [
            Table(("scenario", "raw results", "command"), rows),
            Text("All of it on the cluster, with the autoscaler's work recorded:"),
            Command("make report"),
            Text("This report and its graphs, from a folder of results:"),
            Command("codemodel-load report RESULTS"),
        ],
    )


def _findings(folder: Folder) -> Iterator[str]:
    for scenario, run in folder.runs.items():
        match scenario:
            case "benchmark":
                yield from (_load(part) for part in run.parts)
            case "spike":
                yield "Spike: " + "; ".join(_brief(part) for part in run.parts) + "."
            case "stress" if ramp := breaking.ramp_of(run.results):
                yield f"Stress{mark(run)}: {verdict(breaking.judge(breaking.curve(run.parts), ramp))}"
            case "soak" if run.results.phases:
                judged = judge_soak(run.results.requests, run.results.samples, *span(run))
                yield f"Soak{mark(run)}: {judged.verdict}: {judged.reason}."
    if folder.timeline:
        doubt = mark(*meanwhile(folder, folder.timeline))
        yield f"Autoscaling{doubt}: {story(folder.timeline)}"


def _load(part: Part) -> str:
    latency = part.summary.latency
    took = (
        f"latency {number(latency.p50)} s (p50) and {number(latency.p99)} s (p99)"
        if latency
        else "nothing answered"
    )
    return (
        f"Benchmark, {part.label}, {part.load}: {number(part.summary.achieved_rate)} answers/s, "
        f"{number(part.summary.tokens_per_second)} tokens/s, {took}, {percent(part.summary.success_rate)} answered."
    )


def _brief(part: Part) -> str:
    latency = part.summary.latency
    took = f"p99 {number(latency.p99)} s" if latency else "nothing answered"
    return f"{part.label}, {part.load}: {percent(part.summary.success_rate)} answered, {took}"


def _machines(folder: Folder) -> Table:
    rows = []
    for scenario, run in folder.runs.items():
        results, machine = run.results, run.results.machine
        memory = (
            NOTHING if machine.memory_bytes is None else f"{number(machine.memory_bytes / (1 << 30))} GiB"
        )
        when = f"{moment(results.started)}{'' if results.finished else ' (unfinished)'}"
        rows.append(
            [scenario, when, machine.processor, str(machine.cores), memory, machine.system, machine.python]
        )
    return Table(("scenario", "started", "processor", "cores", "memory", "system", "Python"), rows)


def _servers(folder: Folder) -> Table:
    rows = []
    for scenario, run in folder.runs.items():
        results, server = run.results, run.results.server
        context = NOTHING if server.context_length is None else str(server.context_length)
        told = [server.engine or NOTHING, server.model or NOTHING, server.version or NOTHING, context]
        rows.append(
            [
                scenario,
                results.profile,
                results.target,
                *told,
                "yes" if results.streaming else "no",
                str(results.seed),
            ]
        )
    header = (
        "scenario",
        "profile",
        "target",
        "engine",
        "model",
        "server",
        "context, tokens",
        "streaming",
        "seed",
    )
    return Table(header, rows)


def _limits(folder: Folder) -> Iterator[str]:
    results = [run.results for run in folder.runs.values()]
    if any(_local(one) for one in results):
        cores = ", ".join(sorted({str(one.machine.cores) for one in results if _local(one)}))
        yield (
            f"The network and the server's full speed: generator and server shared one machine of {cores} cores, over "
            "loopback, and took computing time from one another."
        )
    if engines := {one.server.engine for one in results}:
        if "mock" in engines:
            yield "A model's speed: the mock engine computes nothing, so that only the service around it is measured."
        if "llama-cpp" in engines:
            yield "GPUs: the engine is built for CPUs."
    if any(one.profile == "ci" for one in results):
        yield "Rare events and slow growth: the runs of profile ci are short; percentiles of few requests are rough."
    if any(not sample_memory(one) for one in results):
        yield "Memory, where the target does not tell it in GET /live."
    yield "CPU time of each replica by the request: servers do not tell it; the autoscaler's metric has it in mean."
    yield "Answers' quality: only that they were complete, and how long they took."
    yield "Nodes: replicas on one node share its cores, so that throughput cannot grow with replicas beyond them."


def sample_memory(results: Results) -> bool:
    """Tell whether any look at the replicas saw their memory."""
    return any(one.memory_bytes is not None for sample in results.samples for one in sample.replicas)


def _local(results: Results) -> bool:
    return is_loopback(results.target)
