"""API keys from a Secret: who has none is refused, and a change of the Secret is honoured by the running replica."""

import httpx
import pytest

from e2e import chat
from e2e.api import Api, Manifest
from e2e.codemodels import READY_SECONDS, codemodel, condition, pods
from e2e.kubectl import kubectl
from e2e.waiting import until

NAME = "guarded"
SECRET = "api-keys"
URL = "http://127.0.0.1:8082"
ALICE, BOB = "key-of-alice", "key-of-bob"

MOUNT_SECONDS = 150
"""The kubelet tries again to mount what is missing, in pauses of up to two minutes."""

REFRESH_SECONDS = 180
"""The kubelet looks at what it has mounted once a minute or so, and may hold an older Secret for another minute."""


@pytest.fixture(scope="module", autouse=True)
def applied(namespace: str) -> None:
    """A CodeModel that asks for keys of a Secret that does not exist yet; its engine is the one that costs least."""
    change: Manifest = {
        "model": None,
        "engine": {"name": "mock"},
        "auth": {"secretRef": {"name": SECRET}},
        "service": {"type": "NodePort", "nodePort": 30082},
    }
    kubectl("apply", "-f", "-", namespace=namespace, stdin=codemodel(NAME, change))


def status_with(key: str | None) -> int:
    """The HTTP status that a request with this key gets."""
    try:
        chat.ask(URL, key=key)
    except httpx.HTTPStatusError as error:
        return error.response.status_code
    return 200


def test_without_the_secret_its_name_and_what_to_do_are_in_the_status(api: Api, namespace: str) -> None:
    ready = until(
        lambda: condition(api.read("CodeModel", NAME, namespace), "Ready"),
        lambda ready: ready.get("reason") == "CannotStart",
        what="the missing Secret to be the reason",
        seconds=READY_SECONDS,
    )
    assert f'secret "{SECRET}" not found' in ready["message"]
    assert "create the Secret" in ready["message"]


def test_once_the_secret_is_there_it_serves_those_who_have_a_key(api: Api, namespace: str) -> None:
    secret = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": SECRET},
        "stringData": {"alice": f"{ALICE}\n"},
    }
    api.create(secret, namespace)
    kubectl(
        "wait",
        f"codemodel/{NAME}",
        "--for=condition=Ready",
        f"--timeout={MOUNT_SECONDS}s",
        namespace=namespace,
    )
    # kube-proxy programs a NodePort a moment after the pod is ready.
    until(
        lambda: status_with(ALICE),
        lambda status: status == 200,
        what="an answer",
        seconds=10,
        despite=(httpx.TransportError,),
    )
    assert status_with(None) == 401
    assert status_with(BOB) == 401


def test_a_refusal_says_how_to_send_a_key(namespace: str) -> None:
    refused = httpx.post(f"{URL}/chat", json={"prompt": "x"})
    assert refused.status_code == 401
    assert refused.headers["WWW-Authenticate"] == "Bearer"
    assert refused.json()["error"]["message"]


def test_what_every_replica_tells_needs_no_key(namespace: str) -> None:
    for path in ("/", "/health", "/ready", "/metrics", "/live"):
        assert httpx.get(f"{URL}{path}", timeout=chat.TIMEOUT_SECONDS).status_code == 200, path


def test_another_key_in_the_secret_is_honoured_without_a_restart(api: Api, namespace: str) -> None:
    (before,) = pods(api, namespace, NAME)
    api.merge("Secret", SECRET, namespace, {"stringData": {"bob": BOB}, "data": {"alice": None}})
    until(
        lambda: (status_with(ALICE), status_with(BOB)),
        lambda seen: seen == (401, 200),
        what="the new key to be honoured and the old one to be refused",
        seconds=REFRESH_SECONDS,
    )
    (after,) = pods(api, namespace, NAME)
    assert after["metadata"]["uid"] == before["metadata"]["uid"]
    assert [c["restartCount"] for c in after["status"]["containerStatuses"]] == [0]
