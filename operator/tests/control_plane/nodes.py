"""Stands in for nodes and storage: pods become ready, claims are bound, at once."""

import asyncio
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import aiohttp

from .api import MERGE, Manifest, path_of
from .background import Background

_STAMP = "2026-01-01T00:00:00Z"
_PAUSE_SECONDS = 0.1

Change = Callable[[Manifest], Manifest | None]
"""What is to be reported of an object, None when nothing is."""


@dataclass(frozen=True)
class _Api:
    session: aiohttp.ClientSession
    url: str
    headers: dict[str, str]


@contextmanager
def nodes(background: Background, session: aiohttp.ClientSession, url: str, token: str) -> Iterator[None]:
    """Keep watching all pods and claims of an API server.

    Args:
        background: where to run.
        session: trusts the API server.
        url: of the API server.
        token: of a user who may change them.
    """
    api = _Api(session, url, {"Authorization": f"Bearer {token}"})
    tasks = [
        background.spawn(_keep(api, kind, change))
        for kind, change in (("Pod", _ready), ("PersistentVolumeClaim", _bound))
    ]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()


async def _keep(api: _Api, kind: str, change: Change) -> None:
    while True:
        try:
            await _follow(api, kind, change)
        except aiohttp.ClientError:
            await asyncio.sleep(_PAUSE_SECONDS)


async def _follow(api: _Api, kind: str, change: Change) -> None:
    """Begins with everything that there is."""
    timeout = aiohttp.ClientTimeout(total=None)
    url = f"{api.url}{path_of(kind)}?watch=1"
    async with api.session.get(url, headers=api.headers, timeout=timeout) as stream:
        async for line in stream.content:
            event = json.loads(line)
            status = change(event["object"]) if event["type"] in ("ADDED", "MODIFIED") else None
            if status:
                await _report(api, kind, event["object"]["metadata"], status)


async def _report(api: _Api, kind: str, metadata: Manifest, status: Manifest) -> None:
    url = f"{api.url}{path_of(kind, metadata['namespace'], metadata['name'])}/status"
    headers = {**api.headers, "Content-Type": MERGE}
    # It may be gone meanwhile.
    async with api.session.patch(url, json={"status": status}, headers=headers):
        pass


def _bound(claim: Manifest) -> Manifest | None:
    return {"phase": "Bound"} if claim["status"].get("phase") == "Pending" else None


def _ready(pod: Manifest) -> Manifest | None:
    """What a kubelet reports of a pod whose containers run; None when it has been reported."""
    if pod["status"].get("phase") == "Running" or pod["metadata"].get("deletionTimestamp"):
        return None
    types = ("PodScheduled", "Initialized", "ContainersReady", "Ready")
    running = {"running": {"startedAt": _STAMP}}
    done = {"terminated": {"exitCode": 0, "reason": "Completed", "startedAt": _STAMP, "finishedAt": _STAMP}}
    containers = ((c, running) for c in pod["spec"]["containers"])
    inits = ((c, done) for c in pod["spec"].get("initContainers") or ())
    return {
        "phase": "Running",
        "conditions": [{"type": type_, "status": "True", "lastTransitionTime": _STAMP} for type_ in types],
        "containerStatuses": [_container(c, state) for c, state in containers],
        "initContainerStatuses": [_container(c, state) for c, state in inits],
    }


def _container(container: Manifest, state: Manifest) -> Manifest:
    return {
        "name": container["name"],
        "image": container["image"],
        "imageID": "",
        "ready": True,
        "restartCount": 0,
        "state": state,
    }
