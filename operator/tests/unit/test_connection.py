"""Where the API server is, and who the operator is to it."""

import asyncio
from contextlib import aclosing
from pathlib import Path

import certifi
import pytest
import yaml
from kubernetes.aio.client import Configuration
from kubernetes.aio.config import incluster_config

from codemodel_operator.connection import TIMEOUT, Connection, configured
from codemodel_operator.errors import OperatorError

from .answering import Answering, Reply


@pytest.fixture
def kubeconfig(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "config"
    monkeypatch.setenv("KUBECONFIG", str(path))
    return path


def write(path: Path, **user: str) -> None:
    context = {"cluster": "c", "user": "u"}
    content = {
        "current-context": "here",
        "contexts": [{"name": "here", "context": context}],
        "clusters": [{"name": "c", "cluster": {"server": "http://127.0.0.1:1"}}],
        "users": [{"name": "u", "user": user}],
    }
    path.write_text(yaml.safe_dump(content))


def sent(configuration: Configuration, api_server: Answering) -> str:
    """Send a request and return who it says it is from."""

    async def scenario() -> None:
        async with api_server.listening():
            configuration.host = api_server.url
            async with aclosing(Connection(configuration)) as connection:
                await connection.send("get", "/", query={}, content_type="application/json")

    asyncio.run(scenario())
    return api_server.asked[-1].headers["Authorization"]


def test_a_kubeconfig_says_where_and_who(kubeconfig: Path) -> None:
    write(kubeconfig, token="secret")
    found = asyncio.run(configured(7))
    assert (found.host, found.connection_pool_maxsize) == ("http://127.0.0.1:1", 7)
    assert sent(found, Answering(Reply(200))) == "Bearer secret"


@pytest.mark.parametrize(
    "content",
    ["", "current-context: nowhere", "{", None],
    ids=["empty", "no such context", "no YAML", "absent"],
)
def test_without_a_cluster_it_is_said_what_to_do(kubeconfig: Path, content: str | None) -> None:
    if content is not None:
        kubeconfig.write_text(content)
    with pytest.raises(OperatorError, match="run in a pod or set KUBECONFIG"):
        asyncio.run(configured(1))


def test_a_pod_goes_by_address_and_token(
    kubeconfig: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(kubeconfig, token="of the kubeconfig")
    for name, text in (("TOKEN", "of the pod"), ("CERT", Path(certifi.where()).read_text())):
        (tmp_path / name).write_text(text)
        monkeypatch.setattr(incluster_config, f"SERVICE_{name}_FILENAME", str(tmp_path / name))
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "fd00::1")
    monkeypatch.setenv("KUBERNETES_SERVICE_PORT", "443")
    found = asyncio.run(configured(1))
    assert found.host == "https://[fd00::1]:443"
    assert asyncio.run(found.get_api_key_with_prefix("BearerToken")) == "bearer of the pod"


def test_no_request_waits_for_ever() -> None:
    assert TIMEOUT.sock_connect
    assert TIMEOUT.sock_read
