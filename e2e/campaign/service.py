"""The CodeModel that a campaign loads: in a namespace of its own, so that nothing else is touched."""

from types import TracebackType
from typing import Any, Self

import httpx

from e2e import chat
from e2e.api import Api
from e2e.applying import apply, wait_until_ready
from e2e.codemodels import LOAD_MODEL
from e2e.waiting import until

NAMESPACE = "codemodel-report"
NAME = "reported-coder"

LABELS = f"codemodel.dev/name={NAME}"
"""Of the CodeModel's pods and of all its children."""

NODE_PORTS = {8081: 30081, 8082: 30082, 8083: 30083}
"""Ports of 127.0.0.1 that lead to ports of the node, and are not the sample's."""

_GONE_SECONDS = 120
"""A pod that leaves may finish what it runs for 60 s; the rest is garbage collection."""


class PortTakenError(Exception):
    """Something else answers where the campaign's CodeModel is to answer."""


class Service:
    """The CodeModel of a campaign, in a namespace that is there while the body runs.

    Args:
        api: the cluster.
        port: of 127.0.0.1, one of NODE_PORTS.
    """

    def __init__(self, api: Api, port: int) -> None:
        self._api, self._port = api, port
        self.url = f"http://127.0.0.1:{port}"

    def __enter__(self) -> Self:
        """Make an empty namespace; what a killed campaign left is removed.

        Raises:
            PortTakenError: something else answers at the port.
        """
        self._remove()
        until(
            lambda: self._api.get("Namespace", NAMESPACE),
            lambda found: found is None,
            what=f"the namespace {NAMESPACE} to be gone",
            seconds=_GONE_SECONDS,
        )
        try:
            taken = chat.info(self.url)
        except httpx.HTTPError:
            taken = {}
        if taken:
            raise PortTakenError(
                f"{self.url} answers already, as {taken.get('model')}: end what runs there, such as the e2e suite, "
                f"or choose another --port of {', '.join(map(str, NODE_PORTS))}"
            )
        labels = {"pod-security.kubernetes.io/enforce": "restricted"}
        self._api.create(
            {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE, "labels": labels}}
        )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self._remove()

    def serve(self, change: dict[str, Any]) -> None:
        """Make the CodeModel as it is asked for, and wait until its pods serve it, as few as may be.

        It is made anew each time: an autoscaler goes by what replicas used a minute ago, so those of a scenario before
        would make it begin with as many as may be.

        Raises:
            KubectlError: it does not become Ready; the message is kubectl's.
            AssertionError: it does not answer.
        """
        self._api.delete("CodeModel", NAME, NAMESPACE)
        until(
            lambda: [
                thing for kind in ("Pod", "Service") for thing in self._api.list(kind, NAMESPACE, LABELS)
            ],
            lambda left: not left,
            what="the replicas of the scenario before to be gone",
            seconds=_GONE_SECONDS,
        )
        node = {"type": "NodePort", "nodePort": NODE_PORTS[self._port]}
        apply(NAMESPACE, NAME, {"model": LOAD_MODEL, **change, "service": node})
        wait_until_ready(NAMESPACE, NAME)
        chat.until_it_answers(self.url)

    def _remove(self) -> None:
        self._api.delete("Namespace", NAMESPACE)
