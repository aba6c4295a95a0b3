"""A cluster in memory that behaves like the API server as far as the operator can tell."""

import copy
import json
from collections.abc import Callable
from typing import Any, TypeVar

import pytest

from codemodel_delivery.gguf.errors import GGUFError
from codemodel_delivery.gguf.header import Header
from codemodel_delivery.gguf.tensors import Tensor
from codemodel_delivery.gguf.types import TENSOR_TYPES
from codemodel_operator.cluster import FIELD_MANAGER, settled
from codemodel_operator.errors import ExistsError, OperatorError, RefusedError
from codemodel_operator.resources import ROLES

Manifest = dict[str, Any]

T = TypeVar("T")

DEFAULT_CLASS: Manifest = {
    "metadata": {
        "name": "standard",
        "annotations": {"storageclass.kubernetes.io/is-default-class": "true"},
    }
}


class FakeCluster:
    """Implements `cluster.Cluster`; remembers every write."""

    def __init__(self) -> None:
        self.objects: dict[tuple[str, str, str], Manifest] = {}
        self.events: list[Manifest] = []
        self.writes: list[str] = []
        self.refuse: dict[str, OperatorError] = {}
        self.logs: dict[str, str] = {}
        self.kubernetes_events: dict[str, list[Manifest]] = {}
        self.of_the_cluster: dict[str, list[Manifest]] = {"StorageClass": [DEFAULT_CLASS]}
        self.surveys: list[str] = []
        self._counter = 0

    def put(self, manifest: Manifest) -> Manifest:
        """Store an object as somebody else would."""
        self._counter += 1
        manifest = copy.deepcopy(manifest)
        metadata = manifest["metadata"]
        metadata.setdefault("uid", f"uid-{self._counter}")
        self.objects[manifest["kind"], metadata["namespace"], metadata["name"]] = manifest
        return manifest

    def roles(self, name: str = "coder") -> list[str]:
        """The roles of the children that exist."""
        kept = {(kind, child) for kind, _, child in self.objects}
        return sorted(role for role, (kind, named) in ROLES.items() if (kind, named(name)) in kept)

    async def get(self, kind: str, namespace: str, name: str) -> Manifest | None:
        return copy.deepcopy(self.objects.get((kind, namespace, name)))

    async def list_pods(self, namespace: str, labels: dict[str, str]) -> list[Manifest]:
        return [
            copy.deepcopy(o) for (kind, ns, _), o in self.objects.items() if (kind, ns) == ("Pod", namespace)
        ]

    async def survey(self, kind: str, keep: Callable[[Manifest], T]) -> list[T]:
        self.surveys.append(kind)
        if error := self.refuse.get(kind):
            raise error
        return [keep(copy.deepcopy(found)) for found in self.of_the_cluster.get(kind, ())]

    async def read_log(self, namespace: str, pod: str, container: str, lines: int) -> str:
        if error := self.refuse.get("log"):
            raise error
        return self.logs.get(pod, "")

    async def create(self, manifest: Manifest) -> Manifest:
        kind, metadata = manifest["kind"], manifest["metadata"]
        self.writes.append(f"create {kind}")
        if error := self.refuse.get(kind):
            raise error
        if (kind, metadata["namespace"], metadata["name"]) in self.objects:
            raise ExistsError("it is there")
        return copy.deepcopy(self._claim(self.put(manifest), "Update"))

    async def apply(self, manifest: Manifest) -> Manifest:
        kind, metadata = manifest["kind"], manifest["metadata"]
        self.writes.append(f"apply {kind}")
        if error := self.refuse.get(kind):
            raise error
        key = (kind, metadata["namespace"], metadata["name"])
        live = self.objects.get(key)
        return copy.deepcopy(self._claim(self.put(_merge(live, manifest) if live else manifest), "Apply"))

    def _claim(self, live: Manifest, operation: str) -> Manifest:
        """Remember how our fields are held."""
        entries = live["metadata"].setdefault("managedFields", [])
        if operation not in [entry["operation"] for entry in entries]:
            entries.append({"manager": FIELD_MANAGER, "operation": operation})
        return live

    async def overwrite(self, manifest: Manifest) -> None:
        kind, metadata = manifest["kind"], manifest["metadata"]
        self.writes.append(f"overwrite {kind}")
        live = self.objects[kind, metadata["namespace"], metadata["name"]]
        live["spec"] = {**live["spec"], **manifest["spec"]}
        self._claim(live, "Update")

    async def disclaim(self, live: Manifest) -> None:
        self.writes.append(f"disclaim {live['kind']}")
        if error := self.refuse.get("disclaim"):
            raise error
        stored = self.objects[live["kind"], live["metadata"]["namespace"], live["metadata"]["name"]]
        stored["metadata"]["managedFields"] = settled(live["metadata"]["managedFields"])

    async def delete(self, live: Manifest) -> None:
        self.writes.append(f"delete {live['kind']}")
        del self.objects[live["kind"], live["metadata"]["namespace"], live["metadata"]["name"]]

    async def write_status(self, namespace: str, name: str, uid: str, status: Manifest) -> Manifest:
        self.writes.append("status")
        json.dumps(status)
        stored = self.objects["CodeModel", namespace, name]
        stored["status"] = status
        return copy.deepcopy(stored)

    async def list_events(self, namespace: str, uid: str) -> list[Manifest]:
        if error := self.refuse.get("Event"):
            raise error
        return self.kubernetes_events.get(uid, [])

    async def create_event(self, event: Manifest) -> None:
        if error := self.refuse.get("Event"):
            raise error
        self.events.append(event)


class FakeHeaders:
    """Implements `plan.Headers`: the same answer for every source; remembers who asked."""

    def __init__(self, answer: Header | GGUFError | None = None) -> None:
        self.answer = answer
        self.asked: list[str] = []

    async def read(self, source: str) -> Header | None:
        self.asked.append(source)
        if isinstance(self.answer, GGUFError):
            raise self.answer
        return self.answer


def header(**change: Any) -> Header:
    """That of a model like TinyLlama in Q4_K_M: 638 MiB, 22 KiB a token."""
    weights = Tensor("output.weight", TENSOR_TYPES[12], (256, 1 << 22), 638 << 20)
    fields: dict[str, Any] = {
        "architecture": "llama",
        "name": "tiny",
        "quantization": "Q4_K_M",
        "context_length": 2048,
        "embedding_length": 2048,
        "block_count": 22,
        "feed_forward_length": 5632,
        "expert_feed_forward_length": 0,
        "experts_used": 0,
        "heads": (32,) * 22,
        "kv_heads": (4,) * 22,
        "key_length": 64,
        "value_length": 64,
        "vocabulary": 32000,
        "merges": 0,
        "tensors": (weights,),
        "data_offset": 1 << 20,
        "size": 639 << 20,
    }
    return Header(**{**fields, **change})


def _merge(live: Any, desired: Any) -> Any:
    """Server-side apply, roughly: maps are merged, lists of named objects by name, the rest replaced."""
    if isinstance(live, dict) and isinstance(desired, dict):
        return {**live, **{k: _merge(live.get(k), v) for k, v in desired.items()}}
    if isinstance(live, list) and isinstance(desired, list) and all(_name(x) for x in (*live, *desired)):
        names = [_name(d) for d in desired]
        merged = [_merge(next((v for v in live if _name(v) == _name(d)), None), d) for d in desired]
        return merged + [v for v in live if _name(v) not in names]
    return copy.deepcopy(desired)


def _name(item: Any) -> Any:
    return item.get("name") if isinstance(item, dict) else None


@pytest.fixture
def cluster() -> FakeCluster:
    return FakeCluster()


@pytest.fixture
def refusal() -> RefusedError:
    return RefusedError("exceeded quota: compute, requested: cpu=2")
