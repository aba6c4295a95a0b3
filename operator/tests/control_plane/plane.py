"""etcd, kube-apiserver, kube-controller-manager and kube-scheduler on 127.0.0.1, as `make up` built them; no nodes."""

import base64
import json
import secrets
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx

from e2e.cluster import binaries
from e2e.ports import free_ports
from e2e.waiting import until

from .api import Api

ADMIN, MANAGER = "admin", "system:kube-controller-manager"
"""Users of the API server, who may do everything."""

CARETAKERS = (
    "garbage-collector-controller",
    "namespace-controller",
    "serviceaccount-controller",
    "persistentvolumeclaim-protection-controller",
)
"""Controllers without which nothing is deleted and no namespace is complete."""

ROLLOUTS = ("deployment-controller", "replicaset-controller")
"""Controllers that make pods."""

_START_SECONDS = 60
_STOP_SECONDS = 20

# Who creates and deletes what is enough to tell how many pods there were and which rights the operator used.
_AUDIT_POLICY = {
    "apiVersion": "audit.k8s.io/v1",
    "kind": "Policy",
    "omitStages": ["RequestReceived"],
    "rules": [
        {"level": "Metadata", "userGroups": ["system:serviceaccounts"]},
        {
            "level": "Metadata",
            "verbs": ["create", "delete"],
            "resources": [{"group": "", "resources": ["pods"]}],
        },
        {"level": "None"},
    ],
}


class ControlPlane:
    """A running control plane; `start` makes one."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._programs = binaries.build_all()
        self._tokens = {user: secrets.token_hex(16) for user in (ADMIN, MANAGER)}
        self._etcd, self._peer, port = free_ports(3)
        self.url = f"https://127.0.0.1:{port}"
        self.authority = folder / "pki" / "apiserver.crt"
        """The certificate of the API server, its own authority."""

        self.audit_log = folder / "audit.log"

    @contextmanager
    def started(self) -> Iterator[Api]:
        """Run etcd, the API server and the caretakers; give an administrator's access to it."""
        with ExitStack() as stack:
            stack.enter_context(self._etcd_running())
            stack.enter_context(self._server_running())
            until(self.authority.exists, what="the API server's certificate", seconds=_START_SECONDS)
            api = Api(self.url, self._tokens[ADMIN], self.authority)
            stack.callback(api.close)
            until(
                lambda: api.raw("GET", "/readyz").status_code,
                lambda status: status == httpx.codes.OK,
                what="the API server to be ready",
                seconds=_START_SECONDS,
                despite=(httpx.HTTPError,),
            )
            yield api

    @contextmanager
    def controllers(self, *names: str) -> Iterator[None]:
        """Run these controllers of kube-controller-manager."""
        kubeconfig = self.kubeconfig("controllers", self.url, self._tokens[MANAGER])
        arguments = (
            f"--kubeconfig={kubeconfig}",
            f"--controllers={','.join(names)}",
            "--leader-elect=false",
            "--bind-address=127.0.0.1",
            f"--secure-port={free_ports(1)[0]}",
            f"--cert-dir={self._folder / 'controllers'}",
            # The defaults would make the tests wait for the client and not for the operator.
            "--kube-api-qps=500",
            "--kube-api-burst=1000",
        )
        with self._process("kube-controller-manager", arguments):
            yield

    @contextmanager
    def scheduler(self) -> Iterator[None]:
        """Run kube-scheduler, which puts pods on nodes that somebody has made."""
        kubeconfig = self.kubeconfig("scheduler", self.url, self._tokens[MANAGER])
        arguments = (
            f"--kubeconfig={kubeconfig}",
            f"--authentication-kubeconfig={kubeconfig}",
            f"--authorization-kubeconfig={kubeconfig}",
            "--leader-elect=false",
            "--bind-address=127.0.0.1",
            f"--secure-port={free_ports(1)[0]}",
        )
        with self._process("kube-scheduler", arguments):
            yield

    def token(self, user: str) -> str:
        """Return the token of ADMIN or MANAGER."""
        return self._tokens[user]

    def kubeconfig(self, name: str, url: str, token: str) -> Path:
        """Write a kubeconfig for an API server, or for a proxy before it, and return where it is."""
        cluster = {"server": url}
        if url.startswith("https:"):
            cluster["certificate-authority"] = str(self.authority)
        content = {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "test",
            "clusters": [{"name": "test", "cluster": cluster}],
            "users": [{"name": "test", "user": {"token": token}}],
            "contexts": [{"name": "test", "context": {"cluster": "test", "user": "test"}}],
        }
        path = self._folder / f"{name}.kubeconfig"
        path.write_text(json.dumps(content))
        return path

    def store(self, key: str, value: str) -> None:
        """Write into etcd, past the API server and its admission.

        Args:
            key: such as /registry/codemodel.dev/codemodels/default/coder.
            value: what the API server would have stored there.
        """
        words = {"key": key, "value": value}
        body = {name: base64.b64encode(text.encode()).decode() for name, text in words.items()}
        httpx.post(f"http://127.0.0.1:{self._etcd}/v3/kv/put", json=body).raise_for_status()

    @contextmanager
    def _etcd_running(self) -> Iterator[None]:
        client, peer = (f"http://127.0.0.1:{port}" for port in (self._etcd, self._peer))
        arguments = (
            f"--data-dir={self._folder / 'etcd'}",
            f"--listen-client-urls={client}",
            f"--advertise-client-urls={client}",
            f"--listen-peer-urls={peer}",
            f"--initial-advertise-peer-urls={peer}",
            f"--initial-cluster=default={peer}",
            # What is lost with the machine is not missed.
            "--unsafe-no-fsync",
            "--log-level=warn",
        )
        with self._process("etcd", arguments):
            yield

    @contextmanager
    def _server_running(self) -> Iterator[None]:
        pki = self._folder / "pki"
        self._run("kubeadm", "init", "phase", "certs", "sa", f"--cert-dir={pki}")
        tokens = self._folder / "tokens.csv"
        tokens.write_text("".join(f"{t},{user},{user},system:masters\n" for user, t in self._tokens.items()))
        policy = self._folder / "audit-policy.json"
        policy.write_text(json.dumps(_AUDIT_POLICY))
        arguments = (
            f"--etcd-servers=http://127.0.0.1:{self._etcd}",
            "--bind-address=127.0.0.1",
            f"--secure-port={self.url.rpartition(':')[2]}",
            f"--cert-dir={pki}",
            "--endpoint-reconciler-type=none",
            "--service-cluster-ip-range=10.96.0.0/12",
            "--service-account-issuer=https://kubernetes.default.svc",
            f"--service-account-key-file={pki / 'sa.pub'}",
            f"--service-account-signing-key-file={pki / 'sa.key'}",
            f"--token-auth-file={tokens}",
            "--authorization-mode=RBAC",
            f"--audit-policy-file={policy}",
            f"--audit-log-path={self.audit_log}",
        )
        with self._process("kube-apiserver", arguments):
            yield

    def _run(self, program: str, *arguments: str) -> None:
        subprocess.run(
            [self._programs / program, *arguments], check=True, capture_output=True, timeout=_START_SECONDS
        )

    @contextmanager
    def _process(self, program: str, arguments: Sequence[str]) -> Iterator[None]:
        with (self._folder / f"{program}.log").open("ab") as log:
            # It ends with the tests even when these are killed.
            words = ["setpriv", "--pdeathsig", "KILL", str(self._programs / program), *arguments]
            process = subprocess.Popen(words, stdout=log, stderr=log)
        try:
            yield
        finally:
            process.terminate()
            try:
                process.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
