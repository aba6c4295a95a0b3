"""What the cluster refuses or cannot give: volumes, quota, admission, names, metrics."""

from collections.abc import Iterator

import pytest

from e2e.api import Api, Manifest
from e2e.applying import apply, wait_until_ready
from e2e.codemodels import condition, merged
from e2e.failures import CHEAP, MOCK, Failure, apply_all, flooded, wait_until_told
from e2e.kubectl import attempt, kubectl
from e2e.waiting import until

POLICY = "codemodel-e2e"
NO_METRIC = "FailedGetResourceMetric"
SECONDS = 60
"""For a policy to be in force, and for the autoscaler's second look."""

FAILURES = {
    "no-class": Failure(
        "VolumeNotBound",
        ('storageclass.storage.k8s.io "no-such-class" not found', "correct spec.cache"),
        False,
        {"cache": {"storageClassName": "no-such-class"}},
    ),
    "many-nodes": Failure(
        "VolumeNotBound",
        ("access modes", "correct spec.cache or StorageClass standard"),
        False,
        {"cache": {"accessMode": "ReadWriteMany"}},
    ),
    "too-much": Failure(
        "QuotaExceeded",
        ("Pods cannot be created", "exceeded quota: small", "raise the ResourceQuota"),
        True,
        merged(MOCK, {"resources": {"requests": {"memory": "2Gi"}, "limits": {"memory": "2Gi"}}}),
    ),
    "too-open": Failure(
        "QuotaExceeded",
        ("Service too-open was refused", "exceeded quota: small", "raise the ResourceQuota"),
        True,
        merged(MOCK, {"service": {"type": "NodePort"}}),
    ),
    "unwanted-pod": Failure(
        "AdmissionRefused",
        ("Pods cannot be created", "no mock engine here", "write what the rule allows"),
        True,
        merged(MOCK, {"engine": {"contextLength": 17}}),
    ),
    "unwanted-service": Failure(
        "AdmissionRefused",
        ("Service unwanted-service was refused", "no load balancers here", "write what the rule allows"),
        True,
        merged(MOCK, {"service": {"type": "LoadBalancer"}}),
    ),
    "taken": Failure(
        "NameConflict",
        ("Service taken exists", "delete it, or create the CodeModel under another"),
        True,
        MOCK,
    ),
}


def policy(namespace: str) -> list[Manifest]:
    """A ValidatingAdmissionPolicy of this namespace, as an administrator may have one."""
    version = "admissionregistration.k8s.io/v1"
    rule = {"apiVersions": ["v1"], "operations": ["CREATE", "UPDATE"], "resources": ["pods", "services"]}
    spec = {
        "matchConstraints": {"resourceRules": [{"apiGroups": [""], **rule}]},
        "validations": [
            {
                "expression": "object.kind != 'Pod' || object.spec.containers.all(c, "
                "!has(c.env) || c.env.all(e, e.name != 'CONTEXT_LENGTH' || e.value != '17'))",
                "message": "no mock engine here",
            },
            {
                "expression": "object.kind != 'Service' || object.spec.type != 'LoadBalancer'",
                "message": "no load balancers here",
            },
        ],
    }
    binding = {
        "policyName": POLICY,
        "validationActions": ["Deny"],
        "matchResources": {
            "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": namespace}},
        },
    }
    metadata = {"name": POLICY}
    return [
        {"apiVersion": version, "kind": "ValidatingAdmissionPolicy", "metadata": metadata, "spec": spec},
        {
            "apiVersion": version,
            "kind": "ValidatingAdmissionPolicyBinding",
            "metadata": metadata,
            "spec": binding,
        },
    ]


def service(name: str, type_: str = "ClusterIP") -> Manifest:
    spec = {"type": type_, "ports": [{"port": 80}]}
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name}, "spec": spec}


@pytest.fixture(scope="module", autouse=True)
def applied(api: Api, namespace: str) -> Iterator[None]:
    """The namespace has a quota, a policy and a Service of somebody else; the CodeModels come all at once."""
    quota = {
        "apiVersion": "v1",
        "kind": "ResourceQuota",
        "metadata": {"name": "small"},
        "spec": {"hard": {"requests.memory": "1Gi", "services.nodeports": "0"}},
    }
    api.create(quota, namespace)
    api.create(service("taken"), namespace)
    for manifest in policy(namespace):
        kubectl("apply", "-f", "-", stdin=manifest)
    try:
        until(
            lambda: attempt(
                "create",
                "--dry-run=server",
                "-f",
                "-",
                namespace=namespace,
                stdin=service("s", "LoadBalancer"),
            ),
            lambda outcome: "no load balancers here" in outcome.error,
            what="the policy to be in force",
            seconds=SECONDS,
        )
        apply_all(namespace, FAILURES)
        yield
    finally:
        for manifest in policy(namespace):
            kubectl("delete", manifest["kind"], POLICY, "--ignore-not-found")


@pytest.mark.parametrize("name", FAILURES)
def test_its_own_reason_with_what_to_do(api: Api, namespace: str, name: str) -> None:
    wait_until_told(api, namespace, name, FAILURES[name])


def test_a_volume_that_cannot_grow_is_named_while_the_model_goes_on_being_served(
    api: Api, namespace: str
) -> None:
    apply(namespace, "growing", CHEAP)
    wait_until_ready(namespace, "growing")
    apply(namespace, "growing", merged(CHEAP, {"cache": {"size": "128Mi"}}))
    failure = Failure("ApplyFailed", ("PersistentVolumeClaim growing-models was refused", "resize"), True)
    wait_until_told(api, namespace, "growing", failure, ready="True")


def test_an_autoscaler_without_metrics_is_told_of(api: Api, namespace: str) -> None:
    """Of pods that do not run there are none."""
    scaled = until(
        lambda: condition(api.read("CodeModel", "no-class", namespace), "Scaled"),
        lambda scaled: scaled.get("reason") == NO_METRIC,
        what=f"{NO_METRIC} under Scaled",
        seconds=SECONDS,
    )
    assert scaled["status"] == "False"
    assert "if it lasts, see whether metrics-server works" in scaled["message"]


def test_transitions_alone_are_told_of(api: Api, namespace: str) -> None:
    assert flooded(api, namespace, FAILURES) == {}
