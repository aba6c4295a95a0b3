"""The API server as the benchmark asks it: little work on this side, because both share the machine."""

import base64
import json
import ssl
import tempfile
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import yaml

from e2e import kubectl

Manifest = dict[str, Any]

PATHS = {
    "CodeModel": "/apis/codemodel.dev/v1alpha1/namespaces/{}/codemodels",
    "InferenceService": "/apis/inference.llmkube.dev/v1alpha1/namespaces/{}/inferenceservices",
    "Deployment": "/apis/apps/v1/namespaces/{}/deployments",
    "Service": "/api/v1/namespaces/{}/services",
    "HorizontalPodAutoscaler": "/apis/autoscaling/v2/namespaces/{}/horizontalpodautoscalers",
}
CONNECTIONS = 16
"""Requests that the benchmark has under way at once."""

_MERGE = {"Content-Type": "application/merge-patch+json"}


def connect() -> httpx.AsyncClient:
    """Return a client of the cluster's API server, with the rights of the kubeconfig.

    Raises:
        KubectlError: there is no cluster; the message says what to do.
    """
    config = yaml.safe_load(kubectl.kubectl("config", "view", "--raw", "--minify", "--flatten"))
    cluster, user = config["clusters"][0]["cluster"], config["users"][0]["user"]
    context = ssl.create_default_context(cadata=_decoded(cluster["certificate-authority-data"]))
    with tempfile.NamedTemporaryFile("w", suffix=".pem") as file:
        file.write(_decoded(user["client-certificate-data"]) + _decoded(user["client-key-data"]))
        file.flush()
        context.load_cert_chain(Path(file.name))
    limits = httpx.Limits(max_connections=CONNECTIONS)
    return httpx.AsyncClient(
        base_url=cluster["server"], verify=context, limits=limits, timeout=60, trust_env=False
    )


async def create(api: httpx.AsyncClient, namespace: str, manifest: Manifest) -> None:
    """Create an object.

    Raises:
        httpx.HTTPError: it was refused.
    """
    answer = await api.post(PATHS[manifest["kind"]].format(namespace), json=manifest)
    answer.raise_for_status()


async def read(api: httpx.AsyncClient, namespace: str, kind: str, name: str) -> Manifest:
    """Return an object.

    Raises:
        httpx.HTTPError: it was refused.
    """
    answer = await api.get(f"{PATHS[kind].format(namespace)}/{name}")
    answer.raise_for_status()
    manifest: Manifest = answer.json()
    return manifest


async def change(api: httpx.AsyncClient, namespace: str, kind: str, name: str, spec: Manifest) -> None:
    """Merge this into the spec of an object.

    Raises:
        httpx.HTTPError: it was refused.
    """
    path = f"{PATHS[kind].format(namespace)}/{name}"
    answer = await api.patch(path, content=json.dumps({"spec": spec}), headers=_MERGE)
    answer.raise_for_status()


async def watch(api: httpx.AsyncClient, kind: str, namespace: str) -> AsyncIterator[tuple[float, Manifest]]:
    """Yield (when it came, in seconds of `time.monotonic`; the object) for what there is and for every change.

    Raises:
        httpx.HTTPError: the watch broke off.
    """
    query = {"watch": "true", "timeoutSeconds": "900"}
    async with api.stream("GET", PATHS[kind].format(namespace), params=query, timeout=None) as answer:
        async for line in answer.aiter_lines():
            came = time.monotonic()
            yield came, json.loads(line)["object"]


def _decoded(text: str) -> str:
    return base64.b64decode(text).decode()
