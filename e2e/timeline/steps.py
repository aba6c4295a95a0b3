"""The form of scaling.json: how an autoscaler's work went, step by step. Every time is Unix time in seconds."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

SCHEMA: Literal["codemodel-timeline/1"] = "codemodel-timeline/1"


class TimelineFileError(Exception):
    """A file is no scaling.json; the message says which and why."""


class _Form(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class Metric(_Form):
    """What the autoscaler compares, as its spec says it."""

    type: Literal["Resource", "ContainerResource", "Pods", "Object", "External"]
    name: str
    """``cpu``, or the name of the metric."""

    target: float
    unit: str
    """What target and values are counted in, such as ``% of the request``."""


class Point(_Form):
    """How things stood at one moment."""

    at: float
    load_rps: float | None
    """Requests that were sent a second, on average since the point before; None where no load was recorded."""

    desired: int | None
    """Replicas that the autoscaler asked for."""

    replicas: int | None
    """Replicas that the Deployment was told to have."""

    ready: int | None
    metric: float | None
    """The value that the autoscaler had last seen, in the metric's unit."""


class UpSteps(_Form):
    """When each step on the way to one more replica was seen; None for a step that was not."""

    metric_crossed: float | None = None
    """The first value above the target (and the autoscaler's tolerance) of those that led to this."""

    desired_changed: float | None = None
    pod_created: float | None = None
    scheduled: float | None = None
    image_ready: float | None = None
    """The first of the pod's images was there, pulled or present."""

    init_started: float | None = None
    model_ready: float | None = None
    """The init container ended: the file is complete and verified."""

    server_started: float | None = None
    ready: float | None = None
    """The model is loaded and the pod takes requests."""

    first_token: float | None = None
    """The first token that a request of the load had from this replica."""


class ScaleUp(_Form):
    """One replica that was added. A change by several replicas is as many of these."""

    before: Annotated[int, Field(alias="from")]
    after: Annotated[int, Field(alias="to")]
    replica: str | None
    """Name of the pod; None if none was created before the recording ended."""

    steps: UpSteps


class DownSteps(_Form):
    """When each step on the way to fewer replicas was seen; None for a step that was not."""

    load_ended: float | None = None
    metric_below: float | None = None
    """The first value that needed fewer replicas, of those that led to this; the cooldown runs from here."""

    desired_changed: float | None = None
    pod_deleted: float | None = None
    """The first of the pods that leave was told to."""

    pod_gone: float | None = None
    """The last of them had ended."""


class ScaleDown(_Form):
    """One change to fewer replicas."""

    before: Annotated[int, Field(alias="from")]
    after: Annotated[int, Field(alias="to")]
    at: float
    """When fewer were asked for."""

    removed: tuple[str, ...]
    """Names of the pods that left."""

    steps: DownSteps


class Duration(_Form):
    """How long one step took."""

    step: str
    """The step's name in UpSteps or DownSteps."""

    since: str
    """The step from whose time on it is counted: the nearest one before it that was seen."""

    seconds: float
    replica: str | None
    """The replica that was added; None for a step down."""


class ScaleTimeline(_Form):
    """The whole file."""

    schema_: Annotated[Literal["codemodel-timeline/1"], Field(alias="schema")] = SCHEMA
    name: str
    """The CodeModel."""

    metric: Metric | None
    """None if the autoscaler was not seen."""

    marks: dict[str, float]
    """Moments that whoever recorded has named, such as ``load-begins`` and ``load-ends``."""

    series: tuple[Point, ...]
    scale_ups: tuple[ScaleUp, ...]
    scale_downs: tuple[ScaleDown, ...]
    durations: tuple[Duration, ...]


def write(timeline: ScaleTimeline, path: Path) -> None:
    """Write scaling.json."""
    path.write_text(timeline.model_dump_json(by_alias=True, indent=1) + "\n")


def read(path: Path) -> ScaleTimeline:
    """Read scaling.json.

    Raises:
        TimelineFileError: it is not there or not of this form.
    """
    try:
        return ScaleTimeline.model_validate_json(path.read_text())
    except (OSError, ValidationError) as error:
        raise TimelineFileError(f"{path} is no scale timeline of the form {SCHEMA}: {error}") from error
