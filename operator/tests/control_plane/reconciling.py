"""The operator's reconcile in this process, on the real API server: every step is seen, and none waits for a clock."""

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from codemodel_operator.cluster import Manifest
from codemodel_operator.errors import OperatorError
from codemodel_operator.inventory import Inventory
from codemodel_operator.kube import KubeCluster
from codemodel_operator.metrics import Metrics
from codemodel_operator.plan import Headers
from codemodel_operator.reconcile import Reconciler
from codemodel_operator.resources.download import Downloads

_CONNECTIONS = 8
_MOST_ROUNDS = 8
"""A spec is brought about in one; the others are for what the first has changed and for a reader's patience."""


class CountingCluster(KubeCluster):
    """Counts what it has changed."""

    writes = 0

    async def create(self, manifest: Manifest) -> Manifest:
        stored = await super().create(manifest)
        self.writes += 1
        return stored

    async def apply(self, manifest: Manifest) -> Manifest:
        stored = await super().apply(manifest)
        self.writes += 1
        return stored

    async def overwrite(self, manifest: Manifest) -> None:
        await super().overwrite(manifest)
        self.writes += 1

    async def disclaim(self, live: Manifest) -> None:
        await super().disclaim(live)
        self.writes += 1

    async def delete(self, live: Manifest) -> None:
        await super().delete(live)
        self.writes += 1

    async def write_status(self, namespace: str, name: str, uid: str, status: Manifest) -> Manifest | None:
        stored = await super().write_status(namespace, name, uid, status)
        self.writes += 1
        return stored

    async def create_event(self, event: Manifest) -> None:
        await super().create_event(event)
        self.writes += 1


class Reconciling:
    """Reconciles CodeModels until nothing changes any more."""

    def __init__(self, cluster: CountingCluster, headers: Headers, runner: asyncio.Runner) -> None:
        self._cluster = cluster
        self._runner = runner
        self._reconciler = Reconciler(
            cluster,
            headers,
            Inventory(cluster, time.monotonic),
            default_image="server:test",
            downloads=Downloads(),
            metrics=Metrics(),
            arrived=lambda _key: None,
            left=lambda _key, _objects: None,
            now=lambda: datetime.now(UTC),
        )

    @classmethod
    @contextmanager
    def connected(cls, kubeconfig: Path, headers: Headers) -> Iterator["Reconciling"]:
        """Connect to an API server as the operator does."""

        with pytest.MonkeyPatch.context() as patch, asyncio.Runner() as runner:
            patch.setenv("KUBECONFIG", str(kubeconfig))
            cluster = runner.run(CountingCluster.connect(_CONNECTIONS))
            try:
                yield cls(cluster, headers, runner)
            finally:
                runner.run(cluster.aclose())

    def settle(self, namespace: str, name: str) -> None:
        """Reconcile until a reconcile changes nothing.

        Raises:
            AssertionError: it goes on and on.
            Exception: the reconcile crashed: what it raises on purpose is tried again.
        """
        for _ in range(_MOST_ROUNDS):
            before = self._cluster.writes
            try:
                self._runner.run(self._reconciler.reconcile((namespace, name)))
            except OperatorError as error:
                last: object = error
            else:
                last = "no error"
            if self._cluster.writes == before:
                return
        raise AssertionError(
            f"{namespace}/{name} changes with each of {_MOST_ROUNDS} reconciles; last: {last}"
        )
