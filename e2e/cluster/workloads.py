"""What runs on the cluster: metrics-server, the model hub, the operator and the sample, down to a first answer."""

import json
import subprocess
import time
import urllib.error
import urllib.request
from dataclasses import dataclass

from e2e.cluster import kind, settings
from e2e.cluster.steps import Step, step

READY_SECONDS = 300
PROMPT = "Write a Python function that checks whether a number is prime."
MAX_TOKENS = 128
FORMER_SAMPLE = "sample-coder"
MANIFESTS = settings.NODE.parent / "manifests"


@dataclass(frozen=True)
class Answer:
    """What the sample said to :data:`PROMPT`."""

    text: str
    replica: str
    seconds: float


def deploy(changed_images: set[str]) -> None:
    """Apply everything and wait until the sample is Ready; what runs a changed image is rolled out anew.

    Raises:
        StepError: something is refused, or not ready within :data:`READY_SECONDS`.
    """
    with step("Starting metrics-server and the model hub") as current:
        _apply(current, "-f", MANIFESTS / "metrics-server.yaml")
        _apply(current, "-f", settings.ROOT / "e2e" / "hub" / "hub.yaml")
        _restart(current, changed_images & {settings.HUB_IMAGE}, "model-hub", "deployment/model-hub")
        _rolled_out(current, "model-hub", "deployment/model-hub")
    with step("Starting the operator") as current:
        _apply(current, "-k", settings.ROOT / "deploy" / "overlays" / "kind")
        _kubectl(
            current, "wait", "--for=condition=Established", "crd/codemodels.codemodel.dev", "--timeout=60s"
        )
        operator = "deployment/codemodel-operator"
        _restart(current, changed_images & {settings.OPERATOR_IMAGE}, settings.OPERATOR_NAMESPACE, operator)
        _rolled_out(current, settings.OPERATOR_NAMESPACE, operator)
    with step(f"Serving the sample {settings.SAMPLES_NAMESPACE}/{settings.SAMPLE}") as current:
        namespace = ("-n", settings.SAMPLES_NAMESPACE)
        # A cluster of an earlier version has it still, at the port of this one.
        _kubectl(current, *namespace, "delete", "codemodel", FORMER_SAMPLE, "--ignore-not-found", "--wait")
        _apply(current, "-f", settings.ROOT / "samples" / "kind.yaml")
        _await_ready(current, namespace)
        serving = f"deployment/{settings.SAMPLE}"
        _restart(current, changed_images & {settings.SERVER_IMAGE}, settings.SAMPLES_NAMESPACE, serving)
        _rolled_out(current, settings.SAMPLES_NAMESPACE, serving)
    with step("Waiting for the first CPU metrics") as current:
        _rolled_out(current, "kube-system", "deployment/metrics-server")


def ask() -> Answer:
    """Send :data:`PROMPT` to the sample through 127.0.0.1.

    Raises:
        StepError: no answer within 30 s.
    """
    body = json.dumps({"prompt": PROMPT, "max_tokens": MAX_TOKENS}).encode()
    headers = {"Content-Type": "application/json"}
    request = urllib.request.Request(f"{settings.ENDPOINT}/chat", data=body, headers=headers)  # noqa: S310
    with step("Asking it") as current:
        deadline = time.monotonic() + 30
        while True:
            started = time.monotonic()
            try:
                with urllib.request.urlopen(request, timeout=30) as response:  # noqa: S310
                    answer = json.load(response)
                return Answer(answer["response"], answer["replica"], time.monotonic() - started)
            except (urllib.error.URLError, ConnectionError) as error:
                # kube-proxy programs a NodePort a moment after the pod is ready.
                if time.monotonic() > deadline or isinstance(error, urllib.error.HTTPError):
                    raise current.error(f"{settings.ENDPOINT}/chat: {error}", _describe_hint()) from error
                time.sleep(0.2)


def codemodels() -> str:
    """What `kubectl get codemodels` prints for every namespace."""
    get = [str(kind.kubectl()), "--context", settings.CONTEXT, "get", "codemodels", "-A"]
    return subprocess.run(get, capture_output=True, text=True, check=False).stdout.rstrip()


def _describe_hint() -> str:
    return f"bin/kubectl --context {settings.CONTEXT} -n {settings.SAMPLES_NAMESPACE} describe codemodel,pod"


def _kubectl(current: Step, *arguments: object, ok: tuple[int, ...] = (0,)) -> str:
    return current.run(kind.kubectl(), "--context", settings.CONTEXT, *map(str, arguments), ok=ok)


def _apply(current: Step, *what: object) -> None:
    _kubectl(current, "apply", "--server-side", "--force-conflicts", "--field-manager=codemodel-up", *what)


def _restart(current: Step, changed: set[str], namespace: str, workload: str) -> None:
    if changed:  # the tag stays the same, so only this makes the pods take the new content
        _kubectl(current, "-n", namespace, "rollout", "restart", workload)


def _rolled_out(current: Step, namespace: str, workload: str) -> None:
    _kubectl(current, "-n", namespace, "rollout", "status", workload, f"--timeout={READY_SECONDS}s")


def _await_ready(current: Step, namespace: tuple[str, str]) -> None:
    """Wait for the sample; when it does not become Ready, leave what kubectl knows at the end of the log."""
    deadline = time.monotonic() + READY_SECONDS
    path = "{.status.conditions[?(@.type=='Ready')].status} {.status.conditions[?(@.type=='Ready')].message}"
    ask = [
        str(kind.kubectl()),
        "--context",
        settings.CONTEXT,
        *namespace,
        "get",
        "codemodel",
        settings.SAMPLE,
    ]
    while True:
        got = subprocess.run([*ask, f"-o=jsonpath={path}"], capture_output=True, text=True, check=False)
        status, _, message = got.stdout.partition(" ")
        if status == "True":
            return
        if time.monotonic() > deadline:
            _kubectl(current, *namespace, "describe", "pvc,pods,codemodels")
            raise current.error(f"not Ready: {message or 'the operator has not said why'}", _describe_hint())
        time.sleep(0.5)
