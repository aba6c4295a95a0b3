"""Whole runs against local servers that behave in known ways."""

import asyncio
import json
import time
from collections.abc import Callable
from typing import Any

import pytest
from aiohttp import web

from e2e.load import checks, generator
from e2e.load.progress import Status
from e2e.load.results import Results, SoakFindings, StressFindings
from e2e.load.run import Options, Run
from e2e.load.scenario import Scenario
from e2e.load.statistics import summarise
from e2e.load.target import TargetError
from e2e.load.tests.server import REPLICA, Behaviour, Seen, Server, answers, last, stream

MakeScenario = Callable[..., Scenario]
Act = Callable[[Server, asyncio.Event], Any]


def load(
    scenario: Scenario, behaviour: Behaviour, *, beside: Act | None = None, **changes: Any
) -> tuple[Results, Server]:
    """Run a scenario against a server; ``beside`` runs at the same time in the same loop."""

    async def both() -> tuple[Results, Server]:
        async with Server(behaviour).running() as server:
            stop = asyncio.Event()
            if "live" in changes:
                server.live = changes.pop("live")
            options = Options(target=server.url, profile="full", seed=1, command=["test"], **changes)
            acting = asyncio.create_task(beside(server, stop)) if beside else None
            results = await Run(scenario, options, ignore).results(stop)
            if acting:
                await acting
            return results, server

    return asyncio.run(both())


def ignore(_: Status) -> None:
    """Show nothing."""


def closed(clients: int, requests: int) -> dict[str, Any]:
    return {"name": "closed", "arrivals": {"kind": "closed", "clients": clients}, "requests": requests}


def constant(rate: float, seconds: float, name: str = "open") -> dict[str, Any]:
    return {"name": name, "arrivals": {"kind": "constant", "rate": rate}, "seconds": seconds}


def test_times_are_those_of_the_server(make_scenario: MakeScenario) -> None:
    """Both read the same clock: each of the client's times lies where the server's say that it has to."""
    results, server = load(make_scenario(closed(1, 5)), answers(first=0.05, gap=0.03, tokens=4))
    offset = results.requests[0].sent - server.seen[0].arrived
    for request, seen in zip(results.requests, server.seen, strict=True):
        assert request.scheduled <= request.sent
        first, *_, final, _done = (at + offset for at in seen.written)
        assert request.first_token is not None
        assert request.last_token is not None
        assert first <= request.first_token
        assert request.ttft is not None
        assert request.ttft >= 0.05
        assert final <= request.last_token
        assert len(request.gaps) == 3
        assert sum(request.gaps) == pytest.approx(request.last_token - request.first_token, abs=1e-5)
        assert request.last_token <= request.ended
        assert (request.tokens, request.status, request.replica) == (4, 200, REPLICA)
    summary = results.phases[0].summary
    assert summary.ttft
    assert summary.ttft.p50 >= 0.05
    assert summary.tpot
    # Pauses of 30 ms; a write that was late shortens the next gap, and no other.
    assert summary.tpot.mean >= 0.02
    assert results.server.engine == "test"


def test_a_bimodal_server_shows_in_the_percentiles(make_scenario: MakeScenario) -> None:
    slow = 0.4

    async def behave(server: Server, request: web.Request, seen: Seen) -> web.StreamResponse:
        return await answers(first=slow if seen.number % 5 == 4 else 0.0, tokens=1)(server, request, seen)

    results, _ = load(make_scenario(closed(2, 40)), behave)
    latency = results.phases[0].summary.latency
    assert latency
    assert latency.p50 < slow <= latency.p90 <= latency.p99
    assert sum(request.latency >= slow for request in results.requests) == 8


def test_a_stalled_server_cannot_hide_its_stall(make_scenario: MakeScenario) -> None:
    """Nothing is answered until the last request of the schedule is there: a generator that waits never sends it."""
    rate, seconds = 40.0, 1.0

    async def stall(server: Server, request: web.Request, seen: Seen) -> web.StreamResponse:
        await server.count(int(rate * seconds))
        return await answers(tokens=1)(server, request, seen)

    results, _ = load(make_scenario(constant(rate, seconds)), stall)
    final = results.requests[-1].scheduled
    assert len(results.requests) == rate * seconds
    for request in results.requests:
        assert request.latency >= final - request.scheduled
        assert request.ttft is not None
        assert request.ttft >= final - request.scheduled
    latency = results.phases[0].summary.latency
    assert latency
    assert latency.mean >= final / 2


def test_a_starved_generator_is_told_from_a_slow_server(make_scenario: MakeScenario) -> None:
    async def starve(server: Server, stop: asyncio.Event) -> None:
        await server.count(1)
        for _ in range(4):
            time.sleep(0.2)  # what another program that takes the CPU does to the generator
            await asyncio.sleep(0)

    results, _ = load(make_scenario(constant(50, 1.0)), answers(tokens=1), beside=starve)
    phase = results.phases[0]
    assert not phase.valid
    assert not results.valid
    assert any("sent late" in problem for problem in phase.problems)
    assert phase.checks.schedule_delay_p99 is not None
    assert phase.checks.schedule_delay_p99 > 0.1
    # Even so nothing is hidden: what was sent late has its lateness in its latency.
    late = max(results.requests, key=lambda request: request.sent - request.scheduled)
    assert late.latency >= late.sent - late.scheduled > 0.1


def test_a_slow_server_does_not_delay_what_is_sent(make_scenario: MakeScenario) -> None:
    results, _ = load(make_scenario(constant(10, 1.0)), answers(first=2.0, tokens=1))
    assert len(results.requests) == 10
    assert max(request.sent - request.scheduled for request in results.requests) < 1.0
    assert results.phases[0].summary.success_rate == 1


def test_more_than_can_be_under_way_is_the_generators_fault(
    make_scenario: MakeScenario, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(generator, "MAX_UNDER_WAY", 3)
    results, server = load(make_scenario(constant(20, 1.0)), answers(first=0.5, tokens=1))
    assert server.most_under_way == 3
    assert len(results.requests) == 20
    assert any("of the asked rate" in problem for problem in results.phases[0].problems)


def test_the_same_seed_sends_the_same_load(make_scenario: MakeScenario) -> None:
    phase = {"name": "poisson", "arrivals": {"kind": "poisson", "rate": 20}, "seconds": 0.5}
    scenario = make_scenario(phase, prompts=["a {n}", "b {n}", "c {n}"])
    runs = [load(scenario, answers(tokens=1)) for _ in range(2)]
    first, again = (
        [request.scheduled - results.phases[0].begin for request in results.requests] for results, _ in runs
    )
    assert first == pytest.approx(again, abs=1e-5)
    assert len(set(first)) > 1
    one, other = ({seen.body["prompt"] for seen in server.seen} for _, server in runs)
    assert one == other


def test_closed_clients_wait_for_their_answers(make_scenario: MakeScenario) -> None:
    results, server = load(make_scenario(closed(3, 20)), answers(first=0.01, tokens=1))
    assert (len(results.requests), len(server.seen), server.most_under_way) == (20, 20, 3)
    assert {seen.body["max_tokens"] for seen in server.seen} == {3}
    assert {seen.body["prompt"] for seen in server.seen} == {f"task {n}" for n in range(1, 21)}


def test_phases_follow_one_another_without_waiting_for_answers(make_scenario: MakeScenario) -> None:
    """A spike would be no spike if what came before it had to be answered first."""

    async def stall(server: Server, request: web.Request, seen: Seen) -> web.StreamResponse:
        await server.count(15)
        return await answers(tokens=1)(server, request, seen)

    phases = [constant(10, 0.5, "before"), constant(20, 0.5, "spike")]
    results, _ = load(make_scenario(*phases), stall)
    assert [phase.summary.requests for phase in results.phases] == [5, 10]
    assert results.phases[1].begin >= results.phases[0].end
    # The phase's rate counts the time that its answers took beyond its end.
    assert results.phases[0].summary.achieved_rate < 10


async def refuse(_: Server, __: web.Request, seen: Seen) -> web.StreamResponse:
    return web.json_response({"error": {"message": "full"}}, status=429, headers={"Retry-After": "0"})


async def break_off(_: Server, request: web.Request, seen: Seen) -> web.StreamResponse:
    return await stream(request, seen, [(0, {"token": "x"})])


async def fail_late(_: Server, request: web.Request, seen: Seen) -> web.StreamResponse:
    return await stream(request, seen, [(0, {"token": "x"}), (0, {"error": {"message": "out of cells"}})])


async def hang_up(_: Server, request: web.Request, seen: Seen) -> web.StreamResponse:
    assert request.transport
    request.transport.abort()
    return web.Response()


async def speak_html(_: Server, request: web.Request, seen: Seen) -> web.StreamResponse:
    return web.Response(text="data: <html>\n")


async def miscount(_: Server, request: web.Request, seen: Seen) -> web.StreamResponse:
    return await stream(request, seen, [(0, {**last(1), "usage": {"completion_tokens": "many"}})])


async def say_half_a_letter(_: Server, request: web.Request, seen: Seen) -> web.StreamResponse:
    """Half of a surrogate pair: JSON can carry it, and no file can."""
    return await stream(request, seen, [(0, {"error": {"message": "half \ud800"}})])


async def redirect(_: Server, request: web.Request, seen: Seen) -> web.StreamResponse:
    raise web.HTTPFound("http://127.0.0.1:9/chat")


async def never(_: Server, request: web.Request, seen: Seen) -> web.StreamResponse:
    await asyncio.Event().wait()
    raise AssertionError


@pytest.mark.parametrize(
    ("behaviour", "status", "error", "failed"),
    [
        (refuse, 429, "HTTP 429", False),
        (break_off, 200, "before it was complete", True),
        (fail_late, 200, "out of cells", True),
        (hang_up, None, "Disconnected", True),
        (speak_html, 200, "not an answer of POST /chat", True),
        (miscount, 200, "not an answer of POST /chat", True),
        (say_half_a_letter, 200, "half ?", True),
        (redirect, 302, "HTTP 302", True),
        (never, None, "not complete within 0.2 s", True),
    ],
)
def test_what_is_no_complete_answer_is_no_success(
    make_scenario: MakeScenario, behaviour: Behaviour, status: int | None, error: str, failed: bool
) -> None:
    patience = {"timeout_seconds": 0.2} if behaviour is never else {}
    results, _ = load(make_scenario(closed(1, 1), **patience), behaviour)
    [request] = Results.model_validate_json(results.model_dump_json()).requests
    assert request.status == status
    assert error in (request.error or "")
    assert request.failed is failed
    assert results.phases[0].summary.success_rate == 0
    assert results.phases[0].summary.by_status == {str(status or "none"): 1}


def test_whole_answers(make_scenario: MakeScenario) -> None:
    results, server = load(make_scenario(closed(1, 2)), answers(first=0.05, tokens=2), stream=False)
    assert not results.streaming
    assert [seen.body["stream"] for seen in server.seen] == [False, False]
    for request in results.requests:
        assert (request.first_token, request.tokens, request.replica) == (None, 2, REPLICA)
        assert request.latency >= 0.05


def test_replicas_are_sampled_while_it_runs(make_scenario: MakeScenario) -> None:
    results, _ = load(make_scenario(closed(1, 1)), answers(tokens=1))
    up, down = results.samples[0].replicas
    assert (up.name, up.ready, up.memory_bytes, up.cpu_seconds, up.in_flight) == (
        REPLICA,
        True,
        1000,
        12.5,
        3,
    )
    assert (down.ready, down.memory_bytes, down.cpu_seconds, down.in_flight) == (False, None, None, None)


def test_a_target_that_tells_nothing_of_replicas_is_loaded_all_the_same(make_scenario: MakeScenario) -> None:
    results, _ = load(make_scenario(closed(1, 1)), answers(tokens=1), live=None)
    assert (results.samples, len(results.requests)) == ([], 1)


def test_the_api_key_is_sent(make_scenario: MakeScenario) -> None:
    _, server = load(make_scenario(closed(1, 1)), answers(tokens=1), api_key="k1")
    assert server.seen[0].headers["Authorization"] == "Bearer k1"


def test_a_stop_keeps_what_there_is(make_scenario: MakeScenario) -> None:
    """Also with a request under way that never ends."""

    async def behave(server: Server, request: web.Request, seen: Seen) -> web.StreamResponse:
        return await (never if seen.number == 4 else answers(tokens=1))(server, request, seen)

    async def stop_after_some(server: Server, stop: asyncio.Event) -> None:
        await server.count(5)
        stop.set()

    results, _ = load(make_scenario(closed(1, 1000), closed(1, 1)), behave, beside=stop_after_some)
    assert not results.finished
    assert results.findings is None
    assert len(results.requests) == 4
    [phase] = results.phases
    assert phase.summary.requests == 4


def test_a_stop_during_open_arrivals_ends_the_phase_there(make_scenario: MakeScenario) -> None:
    async def stop_after_some(server: Server, stop: asyncio.Event) -> None:
        await server.count(5)
        stop.set()

    results, _ = load(make_scenario(constant(20, 600)), answers(tokens=1), beside=stop_after_some)
    assert not results.finished
    assert results.phases[0].end < 600
    assert results.phases[0].summary.achieved_rate > 600 / 600


def test_every_summary_follows_from_the_raw_requests(make_scenario: MakeScenario) -> None:
    phases = [closed(2, 10), constant(20, 0.5)]
    results, _ = load(make_scenario(*phases), answers(first=0.01, gap=0.005))
    again = Results.model_validate_json(results.model_dump_json())
    assert again == results
    assert json.loads(results.model_dump_json())["schema"] == "codemodel-load/1"
    for index, phase in enumerate(again.phases):
        requests = [request for request in again.requests if request.phase == index]
        assert summarise(requests, phase.begin, phase.end, again.goodput) == phase.summary


def test_stress_finds_the_rate_that_a_server_refuses(
    make_scenario: MakeScenario, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server bears 20 requests a second: it refuses what comes sooner than 1/20 s after the last one."""
    # How busy the machine of the test is has nothing to do with it.
    monkeypatch.setattr(checks, "MAX_DELAY_SECONDS", 60)
    monkeypatch.setattr(checks, "MAX_CPU_FRACTION", 60)
    previous = 0.0

    async def limited(server: Server, request: web.Request, seen: Seen) -> web.StreamResponse:
        nonlocal previous
        soon, previous = seen.arrived - previous < 1 / 20, seen.arrived
        return await (refuse if soon else answers(tokens=1))(server, request, seen)

    ramp = {"first": 4, "step": 56, "last": 60, "seconds": 0.5, "confirmations": 2}
    limits = {"success_below": 0.5, "latency_above_seconds": 10}
    results, _ = load(make_scenario(ramp={**ramp, **limits}), limited)
    assert isinstance(results.findings, StressFindings)
    assert (results.findings.last_good_rate, results.findings.breaking_point_rate) == (4, 60)
    assert [each.confirmed for each in results.findings.confirmations] == [True, True]
    assert [phase.arrivals.rate for phase in results.phases] == [4, 60, 4, 60, 4, 60]


def test_a_short_soak_proves_nothing(make_scenario: MakeScenario) -> None:
    results, _ = load(make_scenario(constant(20, 0.5), trends=True), answers(tokens=1))
    assert isinstance(results.findings, SoakFindings)
    assert results.findings.verdict == "inconclusive"


def test_a_target_that_is_away_is_told_before_anything_is_sent(make_scenario: MakeScenario) -> None:
    options = Options(target="http://127.0.0.1:9", profile="full", seed=1, command=[])
    with pytest.raises(TargetError, match="nothing answers"):
        asyncio.run(Run(make_scenario(closed(1, 1)), options, ignore).results(asyncio.Event()))
