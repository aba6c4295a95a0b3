"""Requests and errors at the border to the API server."""

import asyncio
import json
from typing import Any

import pytest
import urllib3
from kubernetes.client.exceptions import ApiException

from codemodel_operator.cluster import claimed
from codemodel_operator.errors import ConflictError, EndingError, OperatorError, RefusedError, TemporaryError
from codemodel_operator.kube import KubeCluster

CHILD = {"kind": "Service", "metadata": {"name": "coder", "namespace": "models", "uid": "u"}}


class Client:
    """Stands in for the DynamicClient: answers or raises in turn, and remembers what it was asked."""

    def __init__(self, *outcomes: Any) -> None:
        self.outcomes = list(outcomes)
        self.calls: list[tuple[str, str, dict[str, Any]]] = []

    def request(self, verb: str, path: str, **options: Any) -> Any:
        self.calls.append((verb, path, options))
        outcome = self.outcomes.pop(0)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome


def failure(status: int, message: str = "the reason") -> ApiException:
    error = ApiException(status=status, reason="short")
    error.body = json.dumps({"message": message})
    return error


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (failure(400), RefusedError),
        (failure(401), TemporaryError),
        (failure(403), RefusedError),
        (failure(409), ConflictError),
        (failure(422), RefusedError),
        (failure(429, "storage is (re)initializing"), TemporaryError),
        (failure(500), TemporaryError),
        (failure(503), TemporaryError),
        (failure(504), TemporaryError),
        (urllib3.exceptions.ReadTimeoutError(None, "/", "timed out"), TemporaryError),  # type: ignore[arg-type]
        (ConnectionResetError("reset"), TemporaryError),
    ],
)
def test_errors_are_translated(error: Exception, expected: type[OperatorError]) -> None:
    with pytest.raises(OperatorError) as caught:
        asyncio.run(KubeCluster(Client(error)).apply(CHILD))
    assert type(caught.value) is expected


def test_a_namespace_that_ends_is_no_refusal() -> None:
    error = failure(403)
    error.body = json.dumps({"message": "no", "details": {"causes": [{"reason": "NamespaceTerminating"}]}})
    with pytest.raises(EndingError):
        asyncio.run(KubeCluster(Client(error)).apply(CHILD))


@pytest.mark.parametrize(
    ("error", "advice"),
    [(failure(404), "apply -k crds"), (failure(403), "role.yaml"), (failure(503), "503 the reason")],
)
def test_an_operator_that_cannot_serve_says_why(error: Exception, advice: str) -> None:
    with pytest.raises(OperatorError, match=advice):
        asyncio.run(KubeCluster(Client({}, error)).require_served(["models", "others"]))


def test_the_message_is_that_of_the_api_server() -> None:
    with pytest.raises(RefusedError, match=r"^exceeded quota$"):
        asyncio.run(KubeCluster(Client(failure(403, "exceeded quota"))).apply(CHILD))


def test_an_answer_that_is_not_from_the_api_server() -> None:
    error = ApiException(status=502, reason="Bad Gateway")
    error.body = "<html>"
    with pytest.raises(TemporaryError, match="502 Bad Gateway"):
        asyncio.run(KubeCluster(Client(error)).get("Service", "models", "coder"))


def test_what_is_gone_is_no_error() -> None:
    async def scenario() -> None:
        cluster = KubeCluster(Client(*[failure(404)] * 3))
        assert await cluster.get("Service", "models", "coder") is None
        await cluster.delete(CHILD)
        await cluster.write_status("models", "coder", "u", {})

    asyncio.run(scenario())


def test_every_request_has_a_timeout_and_apply_its_manager() -> None:
    client = Client({}, {})
    cluster = KubeCluster(client)
    asyncio.run(cluster.apply(CHILD))
    asyncio.run(cluster.list_pods("models", {"a": "b", "c": "d"}))
    (verb, path, options), (_, pods, listing) = client.calls
    assert (verb, path) == ("patch", "/api/v1/namespaces/models/services/coder")
    assert (options["field_manager"], options["force_conflicts"]) == ("codemodel-operator", "true")
    assert options["content_type"] == "application/apply-patch+yaml"
    assert (pods, listing["label_selector"]) == ("/api/v1/namespaces/models/pods", "a=b,c=d")
    assert all(call[2]["_request_timeout"] for call in client.calls)


def test_only_the_very_object_is_deleted() -> None:
    client = Client({})
    asyncio.run(KubeCluster(client).delete(CHILD))
    assert client.calls[0][2]["body"]["preconditions"] == {"uid": "u"}


def test_only_what_was_overwritten_is_given_up() -> None:
    ours = {"manager": "codemodel-operator", "operation": "Update"}
    applied = {"manager": "codemodel-operator", "operation": "Apply"}
    stored = {"metadata": {**CHILD["metadata"], "resourceVersion": "7", "managedFields": [ours, applied]}}  # type: ignore[dict-item]
    client = Client({})
    assert claimed(stored)
    asyncio.run(KubeCluster(client).disclaim({"kind": "Service", **stored}))
    assert client.calls[0][2]["body"]["metadata"]["managedFields"] == [applied]
    assert client.calls[0][2]["body"]["metadata"]["resourceVersion"] == "7"


@pytest.mark.parametrize(
    ("answer", "text"),
    [("one\ntwo\n", "one\ntwo\n"), ({"bytes": 1}, '{"bytes": 1}')],
    ids=["lines", "one line"],
)
def test_a_log_is_text_although_the_client_parses_a_single_line(answer: Any, text: str) -> None:
    client = Client(answer)
    assert asyncio.run(KubeCluster(client).read_log("models", "p1", "download-model", 20)) == text
    [(verb, path, options)] = client.calls
    assert (verb, path) == ("get", "/api/v1/namespaces/models/pods/p1/log")
    assert options["query_params"] == [("container", "download-model"), ("tailLines", 20)]
