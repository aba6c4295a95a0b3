"""Everything that a test of the operator on a control plane needs, set up once."""

import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import aiohttp
import yaml

from codemodel_operator.api.crd import build_crd
from e2e.cluster.settings import ROOT
from e2e.waiting import until

from .api import Api, Manifest, path_of
from .audit import AuditLog, Entry
from .background import Background
from .nodes import nodes
from .operators import Operators
from .plane import ADMIN, CARETAKERS, ROLLOUTS, ControlPlane

OPERATOR_NAMESPACE = "codemodel-system"
ACCOUNT = "codemodel-operator"
USER = f"system:serviceaccount:{OPERATOR_NAMESPACE}:{ACCOUNT}"
"""What the API server calls the operator."""

ROLE = ROOT / "deploy" / "base" / "clusterrole.yaml"
_INSTALLED = (
    ROOT / "deploy" / "operator" / "serviceaccount.yaml",
    ROLE,
    ROOT / "deploy" / "base" / "clusterrolebinding.yaml",
)
_SECONDS = 30


@dataclass(frozen=True)
class Bench:
    """A control plane with the CRD and the operator's rights installed, and what works on it."""

    plane: ControlPlane
    api: Api
    audit: AuditLog
    operators: Operators
    background: Background
    session: aiohttp.ClientSession
    """Trusts the API server; of the background loop."""

    token: str
    """Of the operator's service account."""

    names: Callable[[], int] = count(1).__next__

    @contextmanager
    def namespace(self) -> Iterator[str]:
        """Make a namespace of the test's own, complete with what pods need; it is gone soon afterwards."""
        name = f"test-{self.names()}"
        self.api.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
        until(
            lambda: self.api.get("ServiceAccount", "default", name),
            what=f"the service account of namespace {name}",
            seconds=_SECONDS,
        )
        try:
            yield name
        finally:
            self.api.delete("Namespace", name)

    @contextmanager
    def rollouts(self) -> Iterator[None]:
        """Let Deployments have pods, and these become ready."""
        with self.plane.controllers(*ROLLOUTS), self._nodes():
            yield

    def pods(self, namespace: str) -> dict[str, int]:
        """Return how many pods were ever created and deleted in a namespace."""

        def counts(entry: Entry) -> bool:
            return (entry.resource, entry.namespace) == ("pods", namespace) and entry.status < 300

        entries = self.audit.entries(counts)
        return {verb: sum(entry.verb == verb for entry in entries) for verb in ("create", "delete")}

    @contextmanager
    def _nodes(self) -> Iterator[None]:
        token = self.plane.token(ADMIN)
        with nodes(self.background, self.session, self.plane.url, token):
            yield


@contextmanager
def bench(folder: Path) -> Iterator[Bench]:
    """Set it up; everything ends with this."""
    plane = ControlPlane(folder)
    with (
        plane.started() as api,
        Operators.started(folder) as operators,
        Background.started() as background,
    ):
        # Before the controllers, which look every 30 s which kinds there are.
        install_crd(api)
        _install_default_class(api)
        with plane.controllers(*CARETAKERS):
            token = _install_rights(api)
            session = background.run(_session(plane.authority))
            try:
                yield Bench(plane, api, AuditLog(plane.audit_log), operators, background, session, token)
            finally:
                background.run(session.close())


def install_crd(api: Api) -> None:
    """Install the CRD and wait until CodeModels are served."""
    api.create(build_crd())
    until(
        lambda: api.raw("GET", path_of("CodeModel")).is_success,
        what="the API server to serve CodeModels",
        seconds=_SECONDS,
    )


def _install_default_class(api: Api) -> None:
    """As most clusters have one; without it, caches would not be shared by default."""
    annotations = {"storageclass.kubernetes.io/is-default-class": "true"}
    metadata = {"name": "standard", "annotations": annotations}
    api.create(
        {
            "apiVersion": "storage.k8s.io/v1",
            "kind": "StorageClass",
            "metadata": metadata,
            "provisioner": "nobody.example.com",
        }
    )


def _install_rights(api: Api) -> str:
    api.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": OPERATOR_NAMESPACE}})
    for path in _INSTALLED:
        manifest: Manifest = yaml.safe_load(path.read_text())
        if manifest["kind"] == "ServiceAccount":
            manifest["metadata"]["namespace"] = OPERATOR_NAMESPACE
        api.create(manifest)
    return api.token(OPERATOR_NAMESPACE, ACCOUNT)


async def _session(authority: Path) -> aiohttp.ClientSession:
    context = ssl.create_default_context(cafile=authority)
    connector = aiohttp.TCPConnector(ssl=context, limit=0)
    # What passes the proxy is to be the same bytes.
    return aiohttp.ClientSession(connector=connector, auto_decompress=False)
