"""The benchmark's client: it must not take the API server's processor."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, cast

import httpx
import pytest

from e2e.operator_benchmark import api, cases
from e2e.operator_benchmark.seen import CHILDREN, Seen


class Counting:
    """Stands for the client; creates a Deployment with its Service and HPA as an operator would, and counts."""

    def __init__(self, seen: Seen) -> None:
        self._seen = seen
        self.created: list[str] = []
        self.under_way = self.most = 0

    async def post(self, _path: str, json: dict[str, Any]) -> httpx.Response:
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        await asyncio.sleep(0)
        self.under_way -= 1
        self.created.append(json["metadata"]["name"])
        for kind in CHILDREN:
            self._seen.note(kind, 1.0, {"metadata": json["metadata"]})
        return httpx.Response(201, request=httpx.Request("POST", "http://cluster"))


def test_many_are_created_at_once_but_no_queue_grows(monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario() -> Counting:
        seen = Seen()
        client = Counting(seen)

        @asynccontextmanager
        async def watching(_client: object, _namespace: str) -> AsyncIterator[Seen]:
            yield seen

        monkeypatch.setattr(cases, "watching", watching)
        names = [f"many-{number}" for number in range(5 * api.CONNECTIONS)]
        manifests = [{"kind": "CodeModel", "metadata": {"name": name}} for name in names]
        await cases._create_all(cast("httpx.AsyncClient", client), "models", manifests, names)
        assert sorted(client.created) == sorted(names)
        return client

    assert asyncio.run(scenario()).most == api.CONNECTIONS
