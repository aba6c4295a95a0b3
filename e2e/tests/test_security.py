"""What pods may do, and what the operator may: little, and the cluster itself sees to it."""

import pytest

from e2e.api import Api, Manifest
from e2e.cluster import settings
from e2e.codemodels import HUB_NAMESPACE
from e2e.kubectl import attempt, kubectl

NAMESPACES = (settings.OPERATOR_NAMESPACE, settings.SAMPLES_NAMESPACE, HUB_NAMESPACE)
MODELS = "app.kubernetes.io/name=codemodel"
OPERATOR = f"system:serviceaccount:{settings.OPERATOR_NAMESPACE}:codemodel-operator"

FORBIDDEN = [
    ("get", "secrets"),
    ("list", "secrets"),
    ("create", "pods"),
    ("delete", "pods"),
    ("create", "pods/exec"),
    ("create", "pods/portforward"),
    ("create", "serviceaccounts/token"),
    ("get", "configmaps"),
    ("update", "codemodels.codemodel.dev"),
    ("patch", "codemodels.codemodel.dev"),
    ("delete", "codemodels.codemodel.dev"),
    ("delete", "deployments.apps"),
    ("delete", "services"),
    ("create", "daemonsets.apps"),
    ("patch", "nodes"),
    ("patch", "namespaces"),
    ("create", "rolebindings.rbac.authorization.k8s.io"),
    ("create", "clusterrolebindings.rbac.authorization.k8s.io"),
    ("escalate", "clusterroles.rbac.authorization.k8s.io"),
    ("impersonate", "users"),
]

LOOK = """
import os, sys
print(os.getuid(), os.path.exists("/var/run/secrets/kubernetes.io"))
for place in ("/", "/models", "/usr"):
    try:
        open(os.path.join(place, "written"), "w")
    except OSError as error:
        print(place, error.strerror)
with open("/proc/self/status") as status:
    print(*(line.strip() for line in status if line.startswith(("CapEff", "NoNewPrivs", "Seccomp:"))), sep="\\n")
"""
"""What a program that has taken over a server finds out."""


def bad_pod(name: str) -> Manifest:
    """A pod that is well-behaved but for the node's file system."""
    secure = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name},
        "spec": {
            "securityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}},
            "volumes": [{"name": "node", "hostPath": {"path": "/"}}],
            "containers": [{"name": "c", "image": "any", "securityContext": secure}],
        },
    }


@pytest.mark.parametrize("where", NAMESPACES)
def test_a_namespace_refuses_a_pod_on_the_nodes_file_system(api: Api, where: str) -> None:
    labels = api.read("Namespace", where)["metadata"]["labels"]
    assert labels["pod-security.kubernetes.io/enforce"] == "restricted"
    outcome = attempt("create", "--dry-run=server", "-f", "-", namespace=where, stdin=bad_pod("bad"))
    assert outcome.status != 0
    assert 'violates PodSecurity "restricted' in outcome.error
    assert 'restricted volume types (volume "node" uses restricted volume type "hostPath")' in outcome.error


@pytest.mark.parametrize("where", NAMESPACES)
def test_every_pod_has_less_than_restricted_leaves_it(api: Api, where: str) -> None:
    pods = api.list("Pod", where)
    assert pods
    for pod in pods:
        spec = pod["spec"]
        for container in [*spec.get("initContainers", ()), *spec["containers"]]:
            assert container["securityContext"]["readOnlyRootFilesystem"] is True
            assert "add" not in container["securityContext"]["capabilities"]
        assert spec["securityContext"]["runAsUser"] > 0
        assert not any("hostPath" in volume for volume in spec["volumes"])


def test_a_program_in_a_server_finds_neither_token_nor_right_nor_place_to_write(api: Api) -> None:
    pod = api.list("Pod", settings.SAMPLES_NAMESPACE, MODELS)[0]
    assert pod["spec"]["automountServiceAccountToken"] is False
    assert not any("serviceAccountToken" in str(volume) for volume in pod["spec"]["volumes"])
    here = ("exec", pod["metadata"]["name"], "-c", "llm-service", "--", "python3", "-c", LOOK)
    found = kubectl(*here, namespace=settings.SAMPLES_NAMESPACE).split("\n")
    read_only = "Read-only file system"
    assert found[:4] == ["65532 False", *(f"{place} {read_only}" for place in ("/", "/models", "/usr"))]
    assert {line.split(":")[0]: line.split()[1] for line in found[4:] if line} == {
        "CapEff": "0" * 16,
        "NoNewPrivs": "1",
        "Seccomp": "2",
    }


def test_only_what_a_replica_needs_may_come_in(api: Api) -> None:
    policy = api.read("NetworkPolicy", settings.SAMPLE, settings.SAMPLES_NAMESPACE)
    selected = policy["spec"]["podSelector"]["matchLabels"]
    [pod, *_] = api.list("Pod", settings.SAMPLES_NAMESPACE, MODELS)
    assert selected.items() <= pod["metadata"]["labels"].items()
    assert set(policy["spec"]["policyTypes"]) == {"Ingress", "Egress"}
    ports = {port["containerPort"] for port in pod["spec"]["containers"][0]["ports"]}
    assert {port["port"] for rule in policy["spec"]["ingress"] for port in rule["ports"]} == ports


@pytest.mark.parametrize(("verb", "resource"), FORBIDDEN)
def test_the_operator_may_not(verb: str, resource: str) -> None:
    kind, _, part = resource.partition("/")
    outcome = attempt(
        "auth",
        "can-i",
        verb,
        kind,
        *([f"--subresource={part}"] if part else []),
        f"--as={OPERATOR}",
        "--all-namespaces",
    )
    assert (outcome.status, outcome.output.strip()) == (1, "no")


def test_it_may_what_it_has_to() -> None:
    """Else the refusals above would prove nothing: this is who the operator is."""
    outcome = attempt("auth", "can-i", "patch", "deployments.apps", f"--as={OPERATOR}", "--all-namespaces")
    assert (outcome.status, outcome.output.strip()) == (0, "yes")
