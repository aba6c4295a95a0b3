"""Requests and errors at the border to the API server."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from typing import Any, TypeVar

import pytest
from kubernetes.aio.client import Configuration

from codemodel_operator.cluster import claimed
from codemodel_operator.connection import Connection
from codemodel_operator.errors import (
    ConflictError,
    EndingError,
    ExistsError,
    OperatorError,
    RefusedError,
    TemporaryError,
)
from codemodel_operator.kube import KubeCluster

from .answering import Answering, Asked, Reply, failure

T = TypeVar("T")

CHILD = {"kind": "Service", "metadata": {"name": "coder", "namespace": "models", "uid": "u"}}


def talk(use: Callable[[KubeCluster], Awaitable[T]], *replies: Reply) -> tuple[T, list[Asked]]:
    """Use a cluster that answers so; return the result, and what it was asked."""

    async def scenario() -> tuple[T, list[Asked]]:
        api_server = Answering(*replies)
        async with api_server.listening():
            connection = Connection(Configuration(host=api_server.url))
            async with aclosing(KubeCluster(connection)) as cluster:
                return await use(cluster), api_server.asked

    return asyncio.run(scenario())


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        (failure(400), RefusedError),
        (failure(401), TemporaryError),
        (failure(403), RefusedError),
        (failure(409), ConflictError),
        (failure(409, reason="AlreadyExists"), ExistsError),
        (failure(422), RefusedError),
        (failure(429, "storage is (re)initializing"), TemporaryError),
        (failure(500), TemporaryError),
        (failure(503), TemporaryError),
        (failure(504), TemporaryError),
        (Reply(None), TemporaryError),
        (Reply(200, "<html>"), TemporaryError),
        (Reply(200, "[]"), TemporaryError),
    ],
)
def test_errors_are_translated(reply: Reply, expected: type[OperatorError]) -> None:
    with pytest.raises(OperatorError) as caught:
        talk(lambda cluster: cluster.apply(CHILD), reply)
    assert type(caught.value) is expected


def test_an_api_server_that_is_not_there() -> None:
    async def scenario() -> None:
        api_server = Answering()
        async with api_server.listening():
            pass
        connection = Connection(Configuration(host=api_server.url))
        async with aclosing(KubeCluster(connection)) as cluster:
            await cluster.apply(CHILD)

    with pytest.raises(TemporaryError, match="Service models/coder"):
        asyncio.run(scenario())


def test_a_namespace_that_ends_is_no_refusal() -> None:
    reply = failure(403, details={"causes": [{"reason": "NamespaceTerminating"}]})
    with pytest.raises(EndingError):
        talk(lambda cluster: cluster.apply(CHILD), reply)


@pytest.mark.parametrize(
    ("reply", "advice"),
    [(failure(404), "apply -k crds"), (failure(403), "role.yaml"), (failure(503), "503 the reason")],
)
def test_an_operator_that_cannot_serve_says_why(reply: Reply, advice: str) -> None:
    with pytest.raises(OperatorError, match=advice):
        talk(lambda cluster: cluster.require_served(["models", "others"]), Reply(200), reply)


def test_the_message_is_that_of_the_api_server() -> None:
    with pytest.raises(RefusedError, match=r"^exceeded quota$"):
        talk(lambda cluster: cluster.apply(CHILD), failure(403, "exceeded quota"))


def test_an_answer_that_is_not_from_the_api_server() -> None:
    with pytest.raises(TemporaryError, match="502 Bad Gateway"):
        talk(lambda cluster: cluster.get("Service", "models", "coder"), Reply(502, "<html>"))


def test_what_is_gone_is_no_error() -> None:
    async def use(cluster: KubeCluster) -> None:
        assert await cluster.get("Service", "models", "coder") is None
        await cluster.delete(CHILD)
        assert await cluster.write_status("models", "coder", "u", {}) is None

    talk(use, *[failure(404)] * 3)


def test_an_apply_wins_as_the_manager_of_its_fields() -> None:
    _, [asked] = talk(lambda cluster: cluster.apply(CHILD), Reply(200))
    assert (asked.method, asked.path) == ("PATCH", "/api/v1/namespaces/models/services/coder")
    assert asked.query == {"fieldManager": "codemodel-operator", "force": "true"}
    assert asked.headers["Content-Type"] == "application/apply-patch+yaml"
    assert asked.body == CHILD


def test_a_creation_names_the_manager_of_its_fields() -> None:
    stored, [asked] = talk(lambda cluster: cluster.create(CHILD), Reply(201, '{"metadata": {"uid": "new"}}'))
    assert (asked.method, asked.path) == ("POST", "/api/v1/namespaces/models/services")
    assert (asked.query, asked.body) == ({"fieldManager": "codemodel-operator"}, CHILD)
    assert stored == {"kind": "Service", "metadata": {"uid": "new"}}


def test_pods_are_those_with_all_the_labels() -> None:
    listing = Reply(200, json.dumps({"items": [{"metadata": {"name": "p1"}}]}))
    pods, [asked] = talk(lambda cluster: cluster.list_pods("models", {"a": "b", "c": "d"}), listing)
    assert (asked.path, asked.query) == ("/api/v1/namespaces/models/pods", {"labelSelector": "a=b,c=d"})
    assert [pod["metadata"]["name"] for pod in pods] == ["p1"]


def stored(version: str) -> Reply:
    return Reply(200, json.dumps({"metadata": {"resourceVersion": version}}))


def asked_for(asked: list[Asked]) -> list[str | None]:
    """The version that each read had to be as new as."""
    return [one.query.get("resourceVersion") for one in asked if one.method == "GET"]


def test_a_read_is_as_new_as_what_was_written_or_read_before() -> None:
    async def use(cluster: KubeCluster) -> None:
        await cluster.get("Service", "models", "coder")
        await cluster.apply(CHILD)
        await cluster.get("Service", "models", "coder")
        await cluster.get("Service", "models", "other")
        await cluster.list_pods("models", {})
        await cluster.list_pods("models", {})

    pod = {"metadata": {"resourceVersion": "40"}}
    pods = Reply(200, json.dumps({"metadata": {"resourceVersion": "99"}, "items": [pod]}))
    _, asked = talk(use, stored("3"), stored("12"), stored("12"), failure(404), pods, pods)
    assert asked_for(asked) == [None, "12", "12", None, "40"]


def test_a_codemodel_is_read_as_it_is_at_this_moment() -> None:
    async def use(cluster: KubeCluster) -> None:
        for _ in range(2):
            await cluster.get("CodeModel", "models", "coder")

    _, asked = talk(use, stored("3"), stored("3"))
    assert asked_for(asked) == [None, None]


@pytest.mark.parametrize("reply", [failure(504), failure(409), Reply(None), Reply(200, "<html>")])
def test_after_a_failure_nothing_is_known_to_be_new(reply: Reply) -> None:
    """It may have been done all the same, and a cluster that was put back has older versions than we know."""

    async def use(cluster: KubeCluster) -> None:
        await cluster.apply(CHILD)
        with pytest.raises(OperatorError):
            await cluster.apply(CHILD)
        await cluster.get("Service", "models", "coder")

    _, asked = talk(use, stored("12"), reply, stored("12"))
    assert asked_for(asked) == [None]


def test_what_is_not_there_is_no_failure() -> None:
    async def use(cluster: KubeCluster) -> None:
        await cluster.apply(CHILD)
        for _ in range(2):
            assert await cluster.get("Service", "models", "coder") is None

    _, asked = talk(use, stored("12"), failure(404), failure(404))
    assert asked_for(asked) == ["12", "12"]


def test_a_survey_reads_page_after_page() -> None:
    def page(name: str, **metadata: str) -> Reply:
        return Reply(200, json.dumps({"metadata": metadata, "items": [{"metadata": {"name": name}}]}))

    names, asked = talk(
        lambda cluster: cluster.survey("Node", lambda node: node["metadata"]["name"]),
        page("n1", **{"continue": "further"}),
        page("n2"),
    )
    assert names == ["n1", "n2"]
    assert [one.path for one in asked] == ["/api/v1/nodes"] * 2
    assert [one.query.get("continue") for one in asked] == [None, "further"]


def test_only_the_very_object_is_deleted() -> None:
    _, [asked] = talk(lambda cluster: cluster.delete(CHILD), Reply(200))
    assert asked.method == "DELETE"
    assert asked.body["preconditions"] == {"uid": "u"}


def test_only_what_was_overwritten_is_given_up() -> None:
    ours = {"manager": "codemodel-operator", "operation": "Update"}
    applied = {"manager": "codemodel-operator", "operation": "Apply"}
    metadata: dict[str, Any] = {"name": "coder", "namespace": "models", "uid": "u", "resourceVersion": "7"}
    stored = {"kind": "Service", "metadata": {**metadata, "managedFields": [ours, applied]}}
    assert claimed(stored)
    _, [asked] = talk(lambda cluster: cluster.disclaim(stored), Reply(200))
    assert asked.body["metadata"] == {**metadata, "managedFields": [applied]}


@pytest.mark.parametrize("text", ["one\ntwo\n", '{"bytes": 1}\n'], ids=["lines", "one line of JSON"])
def test_a_log_is_text_whatever_it_looks_like(text: str) -> None:
    log, [asked] = talk(
        lambda cluster: cluster.read_log("models", "p1", "download-model", 20), Reply(200, text)
    )
    assert log == text
    assert (asked.method, asked.path) == ("GET", "/api/v1/namespaces/models/pods/p1/log")
    assert asked.query == {"container": "download-model", "tailLines": "20"}
