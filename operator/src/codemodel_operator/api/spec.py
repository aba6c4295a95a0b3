"""The spec of a CodeModel: what a user asks for. Defaults live here and nowhere else."""

import re
from typing import Annotated, Literal, Self

from pydantic import ConfigDict, Field, model_validator

from .base import ApiModel
from .cel import rules
from .quantity import Quantity, parse_quantity
from .source import DOWNLOADED, SOURCE, SOURCE_HELP, ClaimSource, ImageSource, mounted

_SHA256 = r"^[0-9a-f]{64}$"
_SHA256_HELP = "write the 64 lowercase hexadecimal digits that sha256sum prints for the model file"
_DOWNLOAD_HELP = (
    "sha256 and secretRef are for downloads; leave them out here, and pin an oci:// image by its digest"
)


class SecretReference(ApiModel):
    """A Secret in the namespace of the CodeModel."""

    name: Annotated[str, Field(min_length=1, max_length=253)]
    """Name of the Secret."""


class Model(ApiModel):
    """The model file and how to trust it."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            (
                f"!(has(self.sha256) || has(self.secretRef)) || self.source.matches('{DOWNLOADED}')",
                _DOWNLOAD_HELP,
            )
        )
    )

    source: Annotated[
        str,
        Field(
            min_length=1,
            max_length=2048,
            json_schema_extra=rules((f"self.matches(r'{SOURCE}')", SOURCE_HELP)),
        ),
    ]
    """The GGUF file, as https://host/file, hf://org/repo/file, pvc://claim/file or oci://image:tag/file."""

    sha256: Annotated[
        str | None,
        Field(max_length=64, json_schema_extra=rules((f"self.matches('{_SHA256}')", _SHA256_HELP))),
    ] = None
    """SHA-256 of the file in lowercase hexadecimal. A file that differs is refused, never served."""

    secret_ref: SecretReference | None = None
    """Secret whose key `token` is sent as a bearer token to the host of the source, and to no other host."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        if not re.fullmatch(SOURCE, self.source):
            raise ValueError(f"source is {self.source!r}: {SOURCE_HELP}")
        if self.sha256 is not None and not re.match(_SHA256, self.sha256):
            raise ValueError(f"sha256 is {self.sha256!r}: {_SHA256_HELP}")
        if self.mounted and (self.sha256 is not None or self.secret_ref is not None):
            raise ValueError(_DOWNLOAD_HELP)
        return self

    @property
    def mounted(self) -> ClaimSource | ImageSource | None:
        """Where the file is mounted from; None when it is downloaded."""
        return mounted(self.source)


class Engine(ApiModel):
    """What generates the text."""

    name: Literal["llama-cpp", "mock"] = "llama-cpp"
    """Engine: llama-cpp runs the model; mock answers with canned text and needs no model, for tests."""

    context_length: Annotated[int, Field(ge=16, le=1048576)] = 4096
    """Tokens that one request may use, prompt and answer together."""

    parallel: Annotated[int, Field(ge=1, le=64)] = 4
    """Sequences that a replica decodes together. llama-cpp's memory holds contextLength x parallel tokens."""

    threads: Annotated[int, Field(ge=0, le=1024)] = 0
    """Threads that compute. 0 takes as many as the CPU limit has cores."""


CacheMode = Literal["Shared", "Ephemeral"]

# Where the mode was left out, what is used is not known here: writing it is a way out.
_STAYS_SHARED = (
    "(has(self.mode) && (self.mode == 'Ephemeral' || !has(oldSelf.mode))) || "
    "(has(oldSelf.mode) && oldSelf.mode == 'Ephemeral') || "
)
_FIXED = "cannot change while mode is Shared or left out; write the former value or create another CodeModel"


class Cache(ApiModel):
    """Where the model file is kept."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            (
                _STAYS_SHARED + "!isQuantity(string(self.size)) || !isQuantity(string(oldSelf.size)) || "
                "quantity(string(self.size)).compareTo(quantity(string(oldSelf.size))) >= 0",
                "size can only grow while mode is Shared or left out; write the former size or a larger one",
            ),
            (
                _STAYS_SHARED + "(has(self.storageClassName) == has(oldSelf.storageClassName) && "
                "(!has(self.storageClassName) || self.storageClassName == oldSelf.storageClassName))",
                f"storageClassName {_FIXED}",
            ),
            (
                _STAYS_SHARED + "self.accessMode == oldSelf.accessMode",
                f"accessMode {_FIXED}",
            ),
        )
    )

    mode: CacheMode | None = None
    """Shared downloads once to a volume that all replicas mount; Ephemeral downloads in every new pod. Left out: Shared
    where the cluster has a default StorageClass or storageClassName names one, else Ephemeral; decided once."""

    size: Quantity = "10Gi"
    """Size of the volume, larger than the model file; with Ephemeral the most that a pod may store."""

    storage_class_name: Annotated[str | None, Field(min_length=1, max_length=253)] = None
    """StorageClass of the shared volume; left out, the default class of the cluster."""

    access_mode: Literal["ReadWriteOnce", "ReadWriteMany"] = "ReadWriteOnce"
    """ReadWriteOnce keeps all replicas on one node; ReadWriteMany needs a storage class that can do it."""


class Requests(ApiModel):
    """What the scheduler reserves for a replica."""

    cpu: Quantity = "2"
    """Cores reserved: 500m, 2 or, in quotes, "1.5". The autoscaler's target is a percentage of this."""

    memory: Quantity | None = None
    """Bytes reserved; left out, what the header of the model file says that a replica needs, or 4Gi."""


class Limits(ApiModel):
    """What a replica may use at most."""

    cpu: Quantity = "4"
    """Cores at most: 500m, 2 or, in quotes, "1.5". Above the request, so that use can exceed the target."""

    memory: Quantity | None = None
    """Bytes at most, a replica that needs more is killed; left out, what it needs by its header, or 8Gi."""


class Resources(ApiModel):
    """CPU and memory of each replica."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            *(
                (
                    # What is no quantity has a message of its own.
                    f"!has(self.requests.{what}) || !has(self.limits.{what}) || "
                    f"!isQuantity(string(self.requests.{what})) || !isQuantity(string(self.limits.{what})) || "
                    f"quantity(string(self.requests.{what}))"
                    f".compareTo(quantity(string(self.limits.{what}))) <= 0",
                    f"requests.{what} is more than limits.{what}; raise the limit or lower the request "
                    f"(one that is left out has a default: see kubectl explain codemodel.spec.resources)",
                )
                for what in ("cpu", "memory")
            )
        )
    )

    requests: Requests = Requests()
    """What the scheduler reserves for a replica."""

    limits: Limits = Limits()
    """What a replica may use at most."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        for what in ("cpu", "memory"):
            request, limit = getattr(self.requests, what), getattr(self.limits, what)
            if request and limit and parse_quantity(request) > parse_quantity(limit):
                raise ValueError(
                    f"requests.{what} ({request}) is more than limits.{what} ({limit}); "
                    f"raise the limit or lower the request"
                )
        return self


class Scaling(ApiModel):
    """How many replicas, and when to add or remove one."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            (
                "self.minReplicas <= self.maxReplicas",
                "minReplicas is more than maxReplicas (5 when left out); raise that or lower minReplicas",
            )
        )
    )

    min_replicas: Annotated[int, Field(ge=1, le=1000)] = 1
    """Replicas that always run."""

    max_replicas: Annotated[int, Field(ge=1, le=1000)] = 5
    """Replicas at most."""

    target: Annotated[int, Field(ge=1, le=1000)] = 70
    """CPU use, in percent of the CPU request averaged over the replicas, that the autoscaler aims at."""

    scale_down_cooldown_seconds: Annotated[int, Field(ge=0, le=3600)] = 300
    """Seconds that the load must stay low before a replica is removed."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.min_replicas > self.max_replicas:
            raise ValueError(
                f"minReplicas ({self.min_replicas}) is more than maxReplicas ({self.max_replicas}); "
                f"raise maxReplicas or lower minReplicas"
            )
        return self


_NODE_PORT_HELP = "nodePort needs type NodePort; set type to NodePort or leave nodePort out"


class Service(ApiModel):
    """How clients reach the replicas."""

    model_config = ConfigDict(
        json_schema_extra=rules(("!has(self.nodePort) || self.type == 'NodePort'", _NODE_PORT_HELP))
    )

    type: Literal["ClusterIP", "NodePort", "LoadBalancer"] = "ClusterIP"
    """ClusterIP is reachable inside the cluster; NodePort and LoadBalancer also from outside."""

    port: Annotated[int, Field(ge=1, le=65535)] = 80
    """Port of the Service."""

    node_port: Annotated[int | None, Field(ge=30000, le=32767)] = None
    """Port on every node, with type NodePort; left out, the cluster chooses one."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.node_port is not None and self.type != "NodePort":
            raise ValueError(_NODE_PORT_HELP)
        return self


class Auth(ApiModel):
    """Who may use the model."""

    secret_ref: SecretReference
    """Secret with the API keys: each line of each of its values is one. A change needs no restart."""


_MODEL_HELP = "model.source is required with this engine; write where a GGUF file is, or use engine.name mock"


class CodeModelSpec(ApiModel):
    """A code model to serve."""

    model_config = ConfigDict(
        json_schema_extra=rules(("has(self.model) || self.engine.name == 'mock'", _MODEL_HELP))
    )

    model: Model | None = None
    """The model file and how to trust it. Required unless the engine is mock, which downloads nothing."""

    engine: Engine = Engine()
    """What generates the text."""

    cache: Cache = Cache()
    """Where the model file is kept."""

    resources: Resources = Resources()
    """CPU and memory of each replica."""

    scaling: Scaling = Scaling()
    """How many replicas, and when to add or remove one."""

    service: Service = Service()
    """How clients reach the replicas."""

    auth: Auth | None = None
    """Who may use the model; left out, everybody who can reach the Service."""

    suspend: bool = False
    """True stops all replicas; the downloaded model, the address and the settings stay. False goes on."""

    image: Annotated[str | None, Field(min_length=1, max_length=512)] = None
    """Image of the inference server, best pinned by digest; left out, the one that the operator was given."""

    @property
    def served(self) -> Model | None:
        """The model that the engine runs, None when it needs none."""
        return None if self.engine.name == "mock" else self.model

    @property
    def download(self) -> Model | None:
        """The model to download, None when none is needed or it is mounted."""
        return None if self.served is None or self.served.mounted else self.served

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.model is None and self.engine.name != "mock":
            raise ValueError(_MODEL_HELP)
        return self
