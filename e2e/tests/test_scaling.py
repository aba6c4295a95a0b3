"""Load makes the autoscaler add replicas, and its end makes it take them away again.

In a shortened form; `make e2e-scaling` runs it with the cooldown that a real service has.
"""

import os
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from e2e import chat
from e2e.api import Api
from e2e.applying import apply, wait_until_ready
from e2e.codemodels import LOAD_MODEL, READY_SECONDS
from e2e.load.driver import Load, Plan, running
from e2e.timeline import scaling
from e2e.timeline.autoscaler import SYNC_SECONDS
from e2e.timeline.derive import scale_timeline
from e2e.timeline.measurements import FIRST_VALUE_SECONDS, wait_for_first_value
from e2e.timeline.recorder import Recorder
from e2e.timeline.sent import sent_by
from e2e.timeline.steps import write
from e2e.waiting import until

NAME = "scaler"
URL = "http://127.0.0.1:8083"
MOST = 5
COOLDOWN = int(os.environ.get("CODEMODEL_E2E_COOLDOWN", "30"))
"""scaleDownCooldownSeconds: two looks of the autoscaler, so that a cooldown that does not work cannot pass."""

STEPS = 4
"""From 1 to 5 replicas at most. Use is at most 150 m of 120 m, so that each step adds at most 125 / 70 times what there
is: 1 → 2 → 4 → 5, or more steps where the autoscaler looks while a replica is not ready and counts as idle."""

UP_SECONDS = scaling.UP_SECONDS + (STEPS - 1) * (scaling.UP_SECONDS + READY_SECONDS)
"""Each step but the first waits until the replicas of the one before are ready and measured."""

GONE_SECONDS = 90
"""A pod that leaves may finish what it runs for 60 s; the rest is the kubelet's."""


@pytest.fixture(scope="module", autouse=True)
def measured(api: Api, namespace: str) -> None:
    """A CodeModel on llama.cpp, Ready and with a CPU metric."""
    change = {
        "model": LOAD_MODEL,
        "resources": {"requests": {"cpu": "120m"}, "limits": {"cpu": "150m"}},
        "scaling": {"maxReplicas": MOST, "target": 70, "scaleDownCooldownSeconds": COOLDOWN},
        "service": {"type": "NodePort", "nodePort": 30083},
    }
    apply(namespace, NAME, change)
    wait_until_ready(namespace, NAME)
    wait_for_first_value(api, namespace, NAME)
    chat.until_it_answers(URL)


@pytest.fixture
def recorder(namespace: str, artifacts: Path) -> Iterator[Recorder]:
    with Recorder(namespace, artifacts / "timeline.jsonl") as recorder:
        until(lambda: recorder.latest("Deployment", NAME), what="the recorder to watch", seconds=20)
        yield recorder


def answering(load: Load) -> set[str]:
    return {request.replica for request in list(load.requests) if request.replica}


def replicas(recorder: Recorder) -> dict[str, int]:
    latest = recorder.latest("Deployment", NAME)
    return {key: (latest.facts[key] if latest else 0) for key in ("replicas", "ready")}


def hold_for_another_look(recorder: Recorder) -> None:
    """Let the load go on until the autoscaler has looked at what all the replicas use."""
    seen = recorder.mark("replicas-answer")

    def looked() -> bool:
        latest = recorder.latest("HorizontalPodAutoscaler", NAME)
        return latest is not None and latest.at > seen

    until(looked, what="the autoscaler to look again", seconds=4 * SYNC_SECONDS)


@pytest.mark.timeout(
    READY_SECONDS + FIRST_VALUE_SECONDS + UP_SECONDS + scaling.down_seconds(COOLDOWN) + 3 * GONE_SECONDS
)
def test_replicas_follow_the_load_up_and_down(
    api: Api, namespace: str, recorder: Recorder, artifacts: Path
) -> None:
    with running(Plan(URL, clients=10, seconds=600, max_tokens=64)) as load:
        recorder.mark(scaling.LOAD_BEGINS)
        until(
            lambda: replicas(recorder),
            lambda now: now == {"replicas": MOST, "ready": MOST},
            what=f"{MOST} replicas to be ready",
            seconds=UP_SECONDS,
        )
        until(
            lambda: answering(load),
            lambda names: len(names) == MOST,
            what="every replica to answer",
            seconds=30,
        )
        until(
            lambda: chat.live(URL)["total"],
            lambda total: total["ready"] == MOST,
            what="the replicas to find one another",
            seconds=20,
            despite=(httpx.HTTPError,),
        )
        hold_for_another_look(recorder)
    recorder.mark(scaling.LOAD_ENDS)

    # A request a second is nothing to the autoscaler; it shows whether a leaving replica drops one.
    with running(Plan(URL, clients=1, seconds=600, pause_seconds=1, max_tokens=4)) as trickle:
        until(
            lambda: replicas(recorder),
            lambda now: now == {"replicas": 1, "ready": 1},
            what="one replica again",
            seconds=scaling.down_seconds(COOLDOWN),
        )
        until(
            lambda: api.list("Pod", namespace, f"codemodel.dev/name={NAME}"),
            lambda pods: len(pods) == 1,
            what="the other pods to be gone",
            seconds=GONE_SECONDS,
        )

    requests = [*load.requests, *trickle.requests]
    assert [request for request in requests if request.failed] == []
    expected = scaling.Expectation(NAME, COOLDOWN, MOST)
    until(
        lambda: scaling.violations(recorder.entries, expected),
        lambda found: not found,
        what="a timeline without a fault",
        seconds=5,
    )
    assert api.read("CodeModel", NAME, namespace)["status"]["readyReplicas"] == 1

    timeline = scale_timeline(recorder.entries, NAME, sent_by(requests))
    write(timeline, artifacts / "scaling.json")
    assert min((up.before, up.after) for up in timeline.scale_ups) == (1, 2)
    assert {up.replica for up in timeline.scale_ups} <= answering(load)
    unseen = [(up.replica, step) for up in timeline.scale_ups for step, at in up.steps if at is None]
    assert unseen == []
