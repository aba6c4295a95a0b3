"""Load makes the autoscaler add replicas, and its end makes it take them away again."""

import json
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from e2e import chat
from e2e.api import Api
from e2e.codemodels import READY_SECONDS, ModelFile, codemodel, condition
from e2e.kubectl import kubectl
from e2e.load.driver import Load, Plan, running
from e2e.load.statistics import summarise
from e2e.timeline import scaling
from e2e.timeline.entries import utilization
from e2e.timeline.recorder import Recorder
from e2e.waiting import until

NAME = "scaler"
URL = "http://127.0.0.1:8083"
COOLDOWN = 30
"""Two looks of the autoscaler, so that a cooldown that does not work cannot pass."""

FIRST_METRIC_SECONDS = 90
"""From Ready to a value that covers only the time since: two measurements and a look of the autoscaler, doubled."""

LOAD_SECONDS = scaling.UP_SECONDS + READY_SECONDS + 60
"""Bound of the load; it is stopped as soon as it has done its work."""


@pytest.fixture(scope="module", autouse=True)
def measured(api: Api, namespace: str, model_file: ModelFile) -> None:
    """A CodeModel whose replicas saturate at four times the CPU request, Ready and with a CPU metric."""
    manifest = codemodel(
        NAME,
        {
            "model": {"sha256": model_file.sha256},
            "resources": {"requests": {"cpu": "100m"}, "limits": {"cpu": "400m"}},
            "scaling": {"maxReplicas": 3, "scaleDownCooldownSeconds": COOLDOWN},
            "service": {"type": "NodePort", "nodePort": 30083},
        },
    )
    kubectl("apply", "-f", "-", namespace=namespace, stdin=manifest)
    kubectl(
        "wait",
        f"codemodel/{NAME}",
        "--for=condition=Ready",
        f"--timeout={READY_SECONDS}s",
        namespace=namespace,
    )

    def active_with_a_value() -> bool:
        autoscaler = api.read("HorizontalPodAutoscaler", NAME, namespace)
        active = condition(autoscaler, "ScalingActive").get("status") == "True"
        return active and utilization(autoscaler) is not None

    until(active_with_a_value, what="the autoscaler's first CPU value", seconds=FIRST_METRIC_SECONDS)
    until(lambda: chat.ask(URL), what="an answer", seconds=20, despite=(httpx.HTTPError,))


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

    until(looked, what="the autoscaler to look again", seconds=4 * scaling.SYNC_SECONDS)


@pytest.mark.timeout(600)  # the sum of what the autoscaler may take, see e2e/timeline/scaling.py
def test_replicas_follow_the_load_up_and_down(
    api: Api, namespace: str, recorder: Recorder, artifacts: Path
) -> None:
    with running(Plan(URL, clients=6, seconds=LOAD_SECONDS, max_tokens=64)) as load:
        recorder.mark(scaling.LOAD_BEGINS)
        until(
            lambda: replicas(recorder),
            lambda now: now["replicas"] > 1,
            what="more replicas to be asked for",
            seconds=scaling.UP_SECONDS,
        )
        until(
            lambda: replicas(recorder),
            lambda now: now["ready"] > 1,
            what="more than one replica to be ready",
            seconds=READY_SECONDS,
        )
        until(
            lambda: answering(load), lambda names: len(names) > 1, what="two replicas to answer", seconds=30
        )
        until(
            lambda: chat.live(URL)["total"],
            lambda total: total["ready"] > 1,
            what="the replicas to find one another",
            seconds=20,
            despite=(httpx.HTTPError,),
        )
        hold_for_another_look(recorder)
    recorder.mark(scaling.LOAD_ENDS)

    # A request a second is nothing to the autoscaler; it shows whether a leaving replica drops one.
    with running(Plan(URL, clients=1, seconds=LOAD_SECONDS, pause_seconds=1, max_tokens=4)) as trickle:
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
            seconds=90,
        )

    requests = [*load.requests, *trickle.requests]
    (artifacts / "load.json").write_text(json.dumps(vars(summarise(requests)), indent=2))
    assert [request for request in requests if request.failed] == []
    assert len(answering(load)) > 1
    until(
        lambda: scaling.violations(recorder.entries, scaling.Expectation(NAME, COOLDOWN)),
        lambda found: not found,
        what="a timeline without a fault",
        seconds=5,
    )
    assert api.read("CodeModel", NAME, namespace)["status"]["readyReplicas"] == 1
