"""What all tests on the cluster share: the API, a namespace a module, and the rule that the operator stays up."""

import hashlib
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest

from e2e import bundle
from e2e.api import Api, NoClusterError
from e2e.cluster import settings
from e2e.codemodels import HUB, HUB_NAMESPACE, MODEL_FILE, SUITE_LABEL, ModelFile, suite_namespace
from e2e.kubectl import raw
from e2e.waiting import until

_DELETION_SECONDS = 120
"""A terminating pod may finish what it runs for 60 s; the rest is garbage collection."""


@pytest.fixture(scope="session")
def api() -> Iterator[Api]:
    api = Api()
    if api.get("Namespace", settings.OPERATOR_NAMESPACE) is None:
        raise NoClusterError("the operator is not on the cluster: run `make up`")
    yield api
    api.close()


@pytest.fixture(scope="session")
def namespaces(api: Api) -> Iterator[None]:
    """Namespaces of the suite are removed: those that a killed run left before it, its own after it."""
    _remove_namespaces(api)
    yield
    _remove_namespaces(api)


@pytest.fixture(scope="module")
def namespace(api: Api, namespaces: None, request: pytest.FixtureRequest) -> Iterator[str]:
    """A namespace of the module's own, under Pod Security "restricted"."""
    name = _namespace_of(request.module.__name__)
    api.create(suite_namespace(name))
    yield name
    api.delete("Namespace", name)


@pytest.fixture(scope="session")
def model_file() -> ModelFile:
    """The model file as the hub serves it."""
    content = raw(f"/api/v1/namespaces/{HUB_NAMESPACE}/services/{HUB}:80/proxy/{MODEL_FILE}")
    return ModelFile(hashlib.sha256(content).hexdigest(), len(content))


@pytest.fixture
def artifacts(request: pytest.FixtureRequest) -> Path:
    """The folder of what the test leaves to be looked at; it exists."""
    folder = bundle.folder_of(request.node.nodeid)
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.fixture(autouse=True)
def operator_stays_up(api: Api) -> Iterator[None]:
    """No test may make the operator restart."""
    before = _operator(api)
    assert before, "no operator pod runs"
    yield
    assert _operator(api) == before, "the operator restarted during this test"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.failed and isinstance(item, pytest.Function):
        folder = bundle.folder_of(item.nodeid)
        namespace = settings.SAMPLES_NAMESPACE
        if "namespace" in item.fixturenames:
            namespace = _namespace_of(item.module.__name__)
        bundle.collect(folder, namespace)
        report.sections.append(("What the cluster looked like", str(folder)))
    return report


def _namespace_of(module: str) -> str:
    return "e2e-" + module.rpartition(".")[2].removeprefix("test_").replace("_", "-")


def _operator(api: Api) -> dict[str, int]:
    """Restarts by the UID of the operator's pods."""
    pods = api.list("Pod", settings.OPERATOR_NAMESPACE, "app.kubernetes.io/name=codemodel-operator")
    return {
        pod["metadata"]["uid"]: sum(c["restartCount"] for c in pod["status"].get("containerStatuses") or [])
        for pod in pods
    }


def _remove_namespaces(api: Api) -> None:
    def left() -> list[str]:
        return [found["metadata"]["name"] for found in api.list("Namespace", labels=f"{SUITE_LABEL}=true")]

    for name in left():
        api.delete("Namespace", name)
    until(left, lambda names: not names, what="the suite's namespaces to be gone", seconds=_DELETION_SECONDS)
