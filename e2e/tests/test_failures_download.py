"""Downloads that fail: each class of codemodel-fetch, provoked by a server that misbehaves."""

from typing import Any

import pytest

from codemodel_delivery.fetch.errors import FetchError
from e2e.api import Api, Manifest
from e2e.cluster import settings
from e2e.codemodels import READY_SECONDS, SOURCE
from e2e.failures import Failure, apply_all, flooded, wait_until_told
from e2e.kubectl import kubectl

TROUBLE = "trouble"
SECRETS = {"token": "a-token", "two-tokens": "one another"}
CONFIGURATION = """
pid /tmp/nginx.pid;
error_log /dev/stderr warn;
events {}
http {
    access_log off;
    client_body_temp_path /tmp/body;
    proxy_temp_path /tmp/proxy;
    fastcgi_temp_path /tmp/fastcgi;
    scgi_temp_path /tmp/scgi;
    uwsgi_temp_path /tmp/uwsgi;
    server {
        listen 8080;
        root /files;
        location = /healthz { return 200; }
        location = /locked.gguf { return 401; }
        location = /gone.gguf { return 410; }
        location = /metadata.gguf { return 302 http://169.254.169.254/m.gguf; }
        location = /page.gguf { default_type text/html; return 200 "<html>Please log in, then download.</html>"; }
    }
}
"""


def trouble(namespace: str) -> list[Manifest]:
    """A web server that has the wrong answers, and a file for which no volume has room."""
    labels = {"app": TROUBLE}
    secure = {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    files = {"name": "files", "mountPath": "/files"}
    container = {"image": settings.HUB_IMAGE, "securityContext": secure}
    spec: dict[str, Any] = {
        "automountServiceAccountToken": False,
        "terminationGracePeriodSeconds": 1,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": 65532,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "initContainers": [
            # Holes only: it takes no room here.
            {
                **container,
                "name": "sparse",
                "command": ["truncate", "--size=4T", "/files/huge.gguf"],
                "volumeMounts": [files],
            }
        ],
        "containers": [
            {
                **container,
                "name": "nginx",
                "command": ["nginx", "-c", "/configuration/nginx.conf", "-g", "daemon off;"],
                "readinessProbe": {"httpGet": {"path": "/healthz", "port": 8080}, "periodSeconds": 1},
                "volumeMounts": [
                    files,
                    {"name": "configuration", "mountPath": "/configuration"},
                    {"name": "tmp", "mountPath": "/tmp"},
                ],
            }
        ],
        "volumes": [
            {"name": "files", "emptyDir": {}},
            {"name": "tmp", "emptyDir": {}},
            {"name": "configuration", "configMap": {"name": TROUBLE}},
        ],
    }
    named = {"name": TROUBLE, "namespace": namespace}
    return [
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": named, "data": {"nginx.conf": CONFIGURATION}},
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": named,
            "spec": {"selector": labels, "ports": [{"port": 80, "targetPort": 8080}]},
        },
        {"apiVersion": "v1", "kind": "Pod", "metadata": {**named, "labels": labels}, "spec": spec},
        *(
            {
                "apiVersion": "v1",
                "kind": "Secret",
                "metadata": {"name": name, "namespace": namespace},
                "stringData": {"token": token},
            }
            for name, token in SECRETS.items()
        ),
    ]


def source(path: str, secret: str | None = None, **more: str) -> Manifest:
    """A change that downloads this from the server, into each pod. With a Secret, nobody looks at the header first."""
    reference = {"secretRef": {"name": secret}} if secret else {}
    url = f"http://{TROUBLE}/{path}"
    return {"model": {"source": url, **reference, **more}, "cache": {"mode": "Ephemeral", "size": "1Gi"}}


FAILURES = {
    "locked": Failure(
        "Unauthorized", ("answered 401", "another token"), True, source("locked.gguf", "token")
    ),
    "gone": Failure("NotFound", ("410",), True, source("gone.gguf")),
    "metadata": Failure(
        "RefusedSource", ("169.254.169.254", "give a source elsewhere"), True, source("metadata.gguf")
    ),
    "page": Failure("NotGGUF", ("page.gguf",), True, source("page.gguf", "token")),
    "huge": Failure(
        "TooLarge", ("raise", "spec.resources.limits.memory"), True, source("huge.gguf", "token")
    ),
    # A limit is no promise: no node has this much memory, and none of the volumes has room for the file.
    "full": Failure(
        "NoSpace",
        ("free", "make the cache larger"),
        True,
        {**source("huge.gguf", "token"), "resources": {"limits": {"memory": "8Ti"}}},
    ),
    "two-tokens": Failure(
        "DownloadFailed", ("does not have one token in it",), True, source("page.gguf", "two-tokens")
    ),
    "changed": Failure(
        "ChecksumMismatch",
        ("correct spec.model.sha256",),
        True,
        {"model": {"source": SOURCE, "sha256": "0" * 64}, "cache": {"mode": "Ephemeral"}},
    ),
    "nobody": Failure(
        "NetworkFailed",
        ("nobody.invalid", "check that the server can be reached"),
        False,
        {"model": {"source": "http://nobody.invalid/m.gguf"}, "cache": {"mode": "Ephemeral"}},
    ),
}


@pytest.fixture(scope="module", autouse=True)
def applied(api: Api, namespace: str) -> None:
    """All of them at once: they wait side by side."""
    for manifest in trouble(namespace):
        api.create(manifest, namespace)
    kubectl(
        "wait", f"pod/{TROUBLE}", "--for=condition=Ready", f"--timeout={READY_SECONDS}s", namespace=namespace
    )
    apply_all(namespace, FAILURES)


def test_every_class_is_provoked_here() -> None:
    """The rest is a broken volume's."""
    provoked = {failure.reason for failure in FAILURES.values()}
    assert {error.__name__ for error in FetchError.__subclasses__()} - provoked == {"CannotWrite"}


@pytest.mark.parametrize("name", FAILURES)
def test_its_own_reason_with_what_to_do(api: Api, namespace: str, name: str) -> None:
    wait_until_told(api, namespace, name, FAILURES[name])


def test_transitions_alone_are_told_of(api: Api, namespace: str) -> None:
    assert flooded(api, namespace, FAILURES) == {}
