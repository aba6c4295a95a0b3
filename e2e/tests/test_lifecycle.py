"""A CodeModel from `kubectl apply` to `kubectl delete`, as its user goes through it."""

import json

import httpx
import pytest

from e2e import chat
from e2e.api import CHILDREN, Api, Manifest
from e2e.codemodels import READY_SECONDS, SOURCE, ModelFile, codemodel, condition, merged, pods
from e2e.kubectl import kubectl, raw
from e2e.load import driver
from e2e.waiting import until

NAME = "lifecycle"
URL = "http://127.0.0.1:8081"
SPEC = {
    "service": {"type": "NodePort", "nodePort": 30081},
    # Two may run, and one suffices for what the tests ask.
    "scaling": {"maxReplicas": 2, "target": 1000},
}

CHILD_NAMES = {kind: f"{NAME}-models" if kind == "PersistentVolumeClaim" else NAME for kind in CHILDREN}


@pytest.fixture(scope="module", autouse=True)
def applied(api: Api, namespace: str, model_file: ModelFile) -> Manifest:
    """The CodeModel of this module, applied and Ready."""
    manifest = codemodel(NAME, merged(SPEC, {"model": {"sha256": model_file.sha256}}))
    kubectl("apply", "-f", "-", namespace=namespace, stdin=manifest)
    wait_until_ready(namespace)
    return manifest


def wait_until_ready(namespace: str) -> None:
    kubectl(
        "wait",
        f"codemodel/{NAME}",
        "--for=condition=Ready",
        f"--timeout={READY_SECONDS}s",
        namespace=namespace,
    )


def child(api: Api, namespace: str, kind: str) -> Manifest:
    return api.read(kind, CHILD_NAMES[kind], namespace)


def test_when_it_is_ready_it_answers(api: Api, namespace: str) -> None:
    # kube-proxy programs a NodePort a moment after the pod is ready.
    answer = until(lambda: chat.ask(URL), what="an answer", seconds=10, despite=(httpx.TransportError,))
    assert answer["response"].strip()
    assert answer["model"] == NAME
    assert answer["engine"] == "llama-cpp"
    assert answer["replica"] in {pod["metadata"]["name"] for pod in pods(api, namespace, NAME)}


def test_its_children_are_owned_and_nothing_blocks_their_deletion(api: Api, namespace: str) -> None:
    owner = api.read("CodeModel", NAME, namespace)["metadata"]
    for kind in CHILDREN:
        metadata = child(api, namespace, kind)["metadata"]
        (reference,) = metadata["ownerReferences"]
        assert reference["uid"] == owner["uid"]
        assert reference["controller"] is True
        # Kubernetes itself protects a volume that a pod uses.
        assert set(metadata.get("finalizers", ())) <= {"kubernetes.io/pvc-protection"}
        assert metadata["labels"]["app.kubernetes.io/managed-by"] == "codemodel-operator"


def test_the_operator_leaves_no_state_on_it(api: Api, namespace: str) -> None:
    metadata = api.read("CodeModel", NAME, namespace)["metadata"]
    assert "finalizers" not in metadata
    assert set(metadata["annotations"]) == {"kubectl.kubernetes.io/last-applied-configuration"}


def test_its_status_says_what_there_is(api: Api, namespace: str, model_file: ModelFile) -> None:
    found = until(
        lambda: api.read("CodeModel", NAME, namespace),
        lambda seen: seen["status"]["desiredReplicas"] == 1,
        what="the autoscaler's first look",
        seconds=40,
    )
    status = found["status"]
    assert status["observedGeneration"] == found["metadata"]["generation"]
    assert {c["type"] for c in status["conditions"]} >= {"Ready", "ModelAvailable"}
    assert condition(found, "ModelAvailable")["status"] == "True"
    assert (status["replicas"], status["readyReplicas"]) == (1, 1)
    assert status["endpoint"].startswith("http")
    model = status["model"]
    assert (model["source"], model["sha256"], model["architecture"]) == (SOURCE, model_file.sha256, "llama")


def test_kubectl_shows_what_matters_in_a_line(namespace: str) -> None:
    short = kubectl("get", "cmodel", NAME, namespace=namespace).splitlines()
    assert short[0].split() == ["NAME", "READY", "REPLICAS", "MODEL", "AGE"]
    assert short[1].split()[1:4] == ["True", "1", SOURCE]
    wide = kubectl("get", "inference", "-o", "wide", namespace=namespace).splitlines()
    assert {"REASON", "ENDPOINT"} <= set(wide[0].split())


def test_the_init_container_downloaded_what_the_hub_has(
    api: Api, namespace: str, model_file: ModelFile
) -> None:
    (pod,) = pods(api, namespace, NAME)
    (init,) = pod["status"]["initContainerStatuses"]
    assert (init["name"], init["state"]["terminated"]["exitCode"]) == ("download-model", 0)
    code = (
        "import hashlib, os, sys; path = os.environ['MODEL_PATH']; content = open(path, 'rb').read(); "
        "print(len(content), hashlib.sha256(content).hexdigest())"
    )
    here = ("exec", pod["metadata"]["name"], "-c", "llm-service", "--", "python3", "-c", code)
    size, digest = kubectl(*here, namespace=namespace).split()
    assert (int(size), digest) == (model_file.size, model_file.sha256)


def test_probes_and_scrapes_have_a_port_of_their_own(api: Api, namespace: str) -> None:
    (pod,) = pods(api, namespace, NAME)
    port = pod["metadata"]["annotations"]["prometheus.io/port"]
    base = f"/api/v1/namespaces/{namespace}/pods/{pod['metadata']['name']}:{port}/proxy"
    assert json.loads(raw(f"{base}/ready"))["status"] == "ready"
    assert b"codemodel_requests_total" in raw(base + pod["metadata"]["annotations"]["prometheus.io/path"])
    (server,) = pod["spec"]["containers"]
    names = {port["name"]: port["containerPort"] for port in server["ports"]}
    assert names["management"] == int(port)
    for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
        assert server[probe]["httpGet"]["port"] == "management"


HAND_EDITS: dict[str, tuple[str, Manifest]] = {
    "Deployment": (
        "strategic",
        {
            "spec": {
                "template": {
                    "spec": {
                        "containers": [
                            {"name": "llm-service", "env": [{"name": "CONTEXT_LENGTH", "value": "64"}]}
                        ]
                    }
                }
            }
        },
    ),
    "Service": ("merge", {"spec": {"selector": {"codemodel.dev/name": "another"}}}),
    "HorizontalPodAutoscaler": ("merge", {"spec": {"maxReplicas": 9}}),
    "NetworkPolicy": ("merge", {"spec": {"ingress": []}}),
    "PodDisruptionBudget": ("merge", {"spec": {"maxUnavailable": 0}}),
}


@pytest.mark.parametrize("kind", HAND_EDITS)
def test_a_hand_edit_is_reverted(api: Api, namespace: str, kind: str) -> None:
    before = child(api, namespace, kind)
    style, change = HAND_EDITS[kind]
    kubectl("patch", kind, NAME, f"--type={style}", "-p", json.dumps(change), namespace=namespace)

    def reverted() -> bool:
        now = child(api, namespace, kind)
        return bool(now["spec"] == before["spec"]) and now["metadata"]["uid"] == before["metadata"]["uid"]

    until(reverted, what=f"the {kind} to be as it was", seconds=20)


@pytest.mark.parametrize(
    "kind", ["Service", "HorizontalPodAutoscaler", "NetworkPolicy", "PodDisruptionBudget", "Deployment"]
)
def test_a_deleted_child_comes_back(api: Api, namespace: str, kind: str) -> None:
    before = child(api, namespace, kind)["metadata"]["uid"]
    api.delete(kind, NAME, namespace)

    def uid() -> str:
        return str((api.get(kind, NAME, namespace) or {}).get("metadata", {}).get("uid", before))

    until(uid, lambda now: now != before, what=f"another {kind}", seconds=20)


def test_it_serves_again_after_all_that(api: Api, namespace: str) -> None:
    wait_until_ready(namespace)
    until(lambda: pods(api, namespace, NAME), lambda left: len(left) == 1, what="one pod", seconds=30)
    chat.until_it_answers(URL)


def test_an_edit_rolls_out_and_no_request_is_dropped(api: Api, namespace: str) -> None:
    (before,) = pods(api, namespace, NAME)
    with driver.running(driver.Plan(URL, clients=2, seconds=180, pause_seconds=0.2, max_tokens=8)) as load:
        until(lambda: len(load.requests), what="the first request", seconds=20)
        change = json.dumps({"spec": {"engine": {"contextLength": 384}}})
        kubectl("patch", "codemodel", NAME, "--type=merge", "-p", change, namespace=namespace)
        gone = before["metadata"]["name"]
        until(
            lambda: api.get("Pod", gone, namespace) is None,
            what="another pod to serve and the old one to be gone",
            seconds=READY_SECONDS + 60,
        )
    assert chat.info(URL)["context_length"] == 384
    assert [request for request in load.requests if not request.succeeded] == []
    (after,) = pods(api, namespace, NAME)
    answered = {request.replica for request in load.requests}
    # A pod that a test before this one has replaced may answer, too, while it ends.
    assert {before["metadata"]["name"], after["metadata"]["name"]} <= answered


def test_suspended_it_keeps_all_but_its_pods_and_resumes_without_a_download(
    api: Api, namespace: str, model_file: ModelFile
) -> None:
    def switch(suspend: bool) -> None:
        change = json.dumps({"spec": {"suspend": suspend}})
        kubectl("patch", "codemodel", NAME, "--type=merge", "-p", change, namespace=namespace)

    switch(True)
    until(
        lambda: api.read("CodeModel", NAME, namespace)["status"],
        lambda seen: seen["replicas"] == 0 and condition({"status": seen}, "Ready")["reason"] == "Suspended",
        what="nothing to run",
        seconds=90,
    )
    until(lambda: pods(api, namespace, NAME), lambda left: not left, what="no pod", seconds=90)
    for kind in CHILDREN:
        assert api.get(kind, CHILD_NAMES[kind], namespace), f"{kind} is gone"
    switch(False)
    wait_until_ready(namespace)
    (pod,) = pods(api, namespace, NAME)
    log = kubectl("logs", pod["metadata"]["name"], "-c", "download-model", namespace=namespace)
    assert json.loads(log.splitlines()[-1])["event"] == "already-here", "the model was downloaded again"
    events = until(
        lambda: api.read("CodeModel", NAME, namespace)["status"]["scaling"]["events"][-2:],
        lambda found: "readyAfterSeconds" in found[-1],
        what="the scale timeline to say when it was ready",
        seconds=20,
    )
    assert [(event["from"], event["to"], event["reason"]) for event in events] == [
        (1, 0, "The spec says suspend: true"),
        (0, 1, "The spec says suspend: false"),
    ]
    told = api.list("Event", namespace)
    reasons = {event["reason"] for event in told if event["involvedObject"]["kind"] == "CodeModel"}
    assert {"ScaledDown", "ScaledUp", "ScaleUpReady"} <= reasons


def test_when_it_is_deleted_its_children_go(api: Api, namespace: str) -> None:
    kubectl("delete", "codemodel", NAME, "--timeout=10s", namespace=namespace)

    def left() -> list[str]:
        found = [kind for kind in CHILDREN if api.get(kind, CHILD_NAMES[kind], namespace) is not None]
        return found + [
            p["metadata"]["name"] for p in api.list("Pod", namespace, f"codemodel.dev/name={NAME}")
        ]

    until(left, lambda names: not names, what="nothing to be left", seconds=90)
