"""The status of a CodeModel: what the operator observed."""

from typing import Annotated, Literal

from pydantic import Field

from .base import ApiModel
from .spec import CacheMode

ConditionStatus = Literal["True", "False", "Unknown"]


class Condition(ApiModel):
    """One observation, in the form of metav1.Condition."""

    type: Annotated[str, Field(max_length=316)]
    """Ready, Reconciling, Stalled, ModelAvailable or Scaled."""

    status: ConditionStatus
    """True, False or Unknown."""

    reason: Annotated[str, Field(max_length=1024)]
    """Why, in one CamelCase word for programs."""

    message: Annotated[str, Field(max_length=32768)]
    """Why and what to do, for people."""

    observed_generation: Annotated[int, Field(ge=0, json_schema_extra={"format": "int64"})]
    """Generation of the spec that this condition is about."""

    last_transition_time: Annotated[str, Field(json_schema_extra={"format": "date-time"})]
    """When the status last changed (RFC 3339, UTC)."""


class ModelFacts(ApiModel):
    """What the header of a model file says, as far as it could be read before the download."""

    architecture: str | None = None
    """For example llama or qwen2."""

    parameters: Annotated[int | None, Field(json_schema_extra={"format": "int64"})] = None
    """Number of weights."""

    quantization: str | None = None
    """How the weights are stored, for example Q4_K_M."""

    context_length: Annotated[int | None, Field(json_schema_extra={"format": "int64"})] = None
    """Tokens that the model was trained for."""

    size_bytes: Annotated[int | None, Field(json_schema_extra={"format": "int64"})] = None
    """Bytes of the file."""

    required_memory: str | None = None
    """What a replica needs with all its contexts full, as a quantity."""


class ModelStatus(ModelFacts):
    """The model that the replicas are to serve."""

    source: str
    """Where the model comes from."""

    sha256: str | None = None
    """SHA-256 that the file is checked against, when the spec has one."""

    downloaded_bytes: Annotated[int | None, Field(json_schema_extra={"format": "int64"})] = None
    """Bytes that are here, while the model is downloaded."""

    total_bytes: Annotated[int | None, Field(json_schema_extra={"format": "int64"})] = None
    """Bytes that the model has, while it is downloaded and the server says so."""

    downloaded_percent: int | None = None
    """Whole percents that are here, while the model is downloaded and its size is known."""


class CacheStatus(ApiModel):
    """Where the model file is kept."""

    mode: CacheMode
    """Shared or Ephemeral."""

    decided_by: Literal["Spec", "Operator"]
    """Spec where the spec gives the mode or names a StorageClass. Operator where it leaves that open: decided once."""


class ScaleEvent(ApiModel):
    """One change of the number of replicas."""

    time: Annotated[str, Field(json_schema_extra={"format": "date-time"})]
    """When the number changed (RFC 3339, UTC)."""

    from_: Annotated[int, Field(alias="from")]
    """Replicas before."""

    to: int
    """Replicas wanted since."""

    reason: str
    """Why, in the words of whoever changed it."""

    metric: str | None = None
    """What the autoscaler measured then, and what it aims at."""

    ready_after_seconds: int | None = None
    """Seconds until so many replicas were Ready; left out for fewer replicas, and as long as they are not."""


class ScalingStatus(ApiModel):
    """How the number of replicas went."""

    events: Annotated[
        tuple[ScaleEvent, ...], Field(json_schema_extra={"x-kubernetes-list-type": "atomic"})
    ] = ()
    """The last 20 changes, the oldest first."""


class CodeModelStatus(ApiModel):
    """What was observed of a CodeModel."""

    observed_generation: Annotated[int, Field(json_schema_extra={"format": "int64"})] = 0
    """Generation of the spec that this status is about."""

    conditions: Annotated[
        tuple[Condition, ...],
        Field(json_schema_extra={"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["type"]}),
    ] = ()
    """Observations by type: Ready, Reconciling, Stalled, ModelAvailable, Scaled."""

    replicas: int = 0
    """Pods that exist."""

    ready_replicas: int = 0
    """Pods that answer requests."""

    desired_replicas: int = 0
    """Pods that the autoscaler wants."""

    endpoint: str | None = None
    """URL of the service: of the load balancer once it has an address, else inside the cluster."""

    model: ModelStatus | None = None
    """The model that the replicas are to serve."""

    cache: CacheStatus | None = None
    """Where the model file is kept; left out when none is downloaded."""

    scaling: ScalingStatus | None = None
    """How the number of replicas went."""

    def condition(self, type_: str) -> Condition | None:
        """Return the condition of this type, None when there is none yet."""
        return next((c for c in self.conditions if c.type == type_), None)
