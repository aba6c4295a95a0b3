"""What kstatus, which Argo CD, Flux and kpt go by, makes of every state: its own library is asked."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from codemodel_operator.api.crd import build_crd
from codemodel_operator.api.status import CodeModelStatus
from codemodel_operator.apply import Problem
from codemodel_operator.status import dump_status
from inference_server.tests.go_programs import Programs

from .test_status import CASES, MISMATCH, OWNER, READY_POD, SERVING, compute, deployment, ended, pod, running

# Building takes a minute where it was not done before.
pytestmark = pytest.mark.timeout(300)

_MODULE = Path(__file__).parents[1] / "kstatus"
KSTATUS = Programs(
    "Building kstatus, to test against (once, about half a minute)",
    _MODULE,
    (),
    lambda _current, _needed: {"CGO_ENABLED": "0"},
    content=(_MODULE / "main.go").read_text(),
)

Manifest = dict[str, Any]
SCHEMA = build_crd()["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
UNSEEN = SCHEMA["properties"]["status"]["default"]
"""What the API server gives to a new CodeModel."""

OLD = {**READY_POD, "metadata": {"name": "old", "annotations": {"codemodel.dev/template": "old"}}}
REPLACING = deployment(replicas=2, updatedReplicas=1, readyReplicas=1, availableReplicas=1)
GROWING = deployment(replicas=3, updatedReplicas=3, readyReplicas=1, availableReplicas=1)
REFUSED = deployment(
    replicas=0, conditions=[{"type": "ReplicaFailure", "status": "True", "message": "quota"}]
)
PASSING = Problem("ApplyFailed", "timed out", passing=True)
LASTING = Problem("ApplyFailed", "exceeded quota")


def codemodel(status: CodeModelStatus | None, **metadata: Any) -> Manifest:
    """The object as the API server has it."""
    return {
        "apiVersion": "codemodel.dev/v1alpha1",
        "kind": "CodeModel",
        "metadata": {
            "name": OWNER.name,
            "namespace": OWNER.namespace,
            "generation": OWNER.generation,
            **metadata,
        },
        "status": dump_status(status) if status else UNSEEN,
    }


SETTLED = compute(READY_POD, children={"Deployment": SERVING})
STATES: dict[str, tuple[Manifest, str]] = {
    "not seen by the operator yet": (codemodel(None), "InProgress"),
    "serving": (codemodel(SETTLED), "Current"),
    "serving, and changed since": (codemodel(SETTLED, generation=OWNER.generation + 1), "InProgress"),
    "being deleted": (codemodel(SETTLED, deletionTimestamp="2030-01-01T00:00:00Z"), "Terminating"),
    "no pod yet": (codemodel(compute()), "InProgress"),
    "more replicas on their way": (
        codemodel(compute(READY_POD, pod("p2", main=running()), children={"Deployment": GROWING})),
        "Current",
    ),
    "rolling out": (
        codemodel(compute(OLD, pod(init=running()), children={"Deployment": REPLACING})),
        "InProgress",
    ),
    "rolling out what cannot start, while the old one serves": (
        codemodel(compute(OLD, pod(init={"state": ended(13, MISMATCH)}), children={"Deployment": REPLACING})),
        "Failed",
    ),
    "pods refused": (codemodel(compute(children={"Deployment": REFUSED})), "Failed"),
    "a child refused for good": (codemodel(compute(problems=(LASTING,))), "Failed"),
    "a child refused while all serves": (
        codemodel(compute(READY_POD, children={"Deployment": SERVING}, problems=(LASTING,))),
        "Failed",
    ),
    "a child refused for now": (codemodel(compute(problems=(PASSING,))), "InProgress"),
    "an invalid spec": (
        codemodel(compute(problems=(Problem("InvalidSpec", "spec.scaling: …"),), spec=None)),
        "Failed",
    ),
    **{
        f"first pod: {name}": (codemodel(compute(the_pod)), "Failed" if stalled == "True" else "InProgress")
        for name, (the_pod, _, _, stalled, _) in CASES.items()
    },
}


@pytest.fixture(scope="module")
def verdicts() -> dict[str, str]:
    """What kstatus says of each state."""
    text = "\n".join(json.dumps(manifest) for manifest, _ in STATES.values())
    program = KSTATUS.build() / "kstatus"
    done = subprocess.run([program], input=text, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return dict(zip(STATES, done.stdout.splitlines(), strict=True))


@pytest.mark.parametrize("state", STATES)
def test_kstatus_says_of_it_what_is_so(verdicts: dict[str, str], state: str) -> None:
    assert verdicts[state] == STATES[state][1]
