"""What a load run writes: one JSON file a scenario, schema ``codemodel-load/1``.

Times are seconds since ``started`` unless said otherwise; null stands where something did not happen. What is summed
up in ``phases`` can be computed again from ``requests``, which are raw. docs/load.md defines every figure.
"""

from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

SCHEMA: Final = "codemodel-load/1"

Instant = Annotated[float, Field(description="seconds since started")]
Seconds = Annotated[float, Field(ge=0)]


class ResultsError(Exception):
    """A file that is no results file; its text says what to do."""


class _Model(BaseModel):
    model_config = ConfigDict(
        extra="forbid", frozen=True, populate_by_name=True, serialize_by_alias=True, allow_inf_nan=False
    )


class Machine(_Model):
    """Where the load came from (and, on a local cluster, where it was answered)."""

    processor: str
    """Name of the CPU."""

    cores: int
    """CPUs that the generator may use."""

    memory_bytes: int | None
    system: str
    """Operating system and its release."""

    python: str
    """Version of Python."""


class Server(_Model):
    """What the target's ``GET /info`` said before the first request; null what it did not say."""

    engine: str | None = None
    model: str | None = None
    version: str | None = None
    context_length: int | None = None
    """Tokens of prompt and answer together."""


class Goodput(_Model):
    """What an answer has to keep to count as good: both bounds."""

    ttft_seconds: Seconds
    """Time to the first token, at most."""

    tpot_seconds: Seconds
    """Time per token after the first, at most."""


class Arrivals(_Model):
    """When requests are sent."""

    kind: Literal["closed", "constant", "poisson"]
    """Closed: each client sends its next request when the last one is answered. The others are open: requests are
    sent at times that do not depend on answers, at equal distances or as a Poisson process."""

    clients: int | None = None
    """Requests under way at a time; closed only."""

    rate: float | None = None
    """Requests per second; constant and Poisson only."""


class Distribution(_Model):
    """A figure over many requests, in seconds; percentiles by nearest rank."""

    mean: float
    p50: float
    p90: float
    p99: float
    max: float


class Summary(_Model):
    """What the requests of a phase amount to. A request belongs to the phase that it was scheduled in."""

    requests: int
    by_status: dict[str, int]
    """Number of requests by HTTP status; ``none`` where there was no status."""

    by_replica: dict[str, int]
    """Number of good answers by the replica that gave them."""

    success_rate: float | None
    """Share of the requests that were answered completely with 200, 0 to 1; null without requests."""

    achieved_rate: float
    """Successes per second: over the phase, or until its last answer where that came later."""

    tokens_per_second: float
    """Tokens of successes over the same time."""

    latency: Distribution | None
    """From ``scheduled`` to ``ended``; of successes, as are the following. Null where there is none."""

    ttft: Distribution | None
    """Time to the first token: from ``scheduled`` to ``first_token``."""

    tpot: Distribution | None
    """Time per output token: from ``first_token`` to ``last_token``, over the tokens after the first."""

    inter_token: Distribution | None
    """Time between two pieces of text of the same answer."""

    goodput_rate: float | None
    """Successes within both bounds of ``goodput`` per second; null where answers did not stream."""

    goodput_fraction: float | None
    """The same as a share of all requests, 0 to 1; null without requests."""


class Checks(_Model):
    """What the generator saw of itself during a phase."""

    schedule_delay_p99: float | None
    """``sent`` after ``scheduled``, seconds; null where nothing was sent."""

    loop_delay_p99: float | None
    """How late the generator's own clock tick came, seconds; null where the phase was shorter than a tick."""

    sent_fraction: float | None
    """Requests sent before the phase's end over requests scheduled in it, 0 to 1; null for closed arrivals."""

    cpu_fraction: float
    """The generator's CPU time over the phase's time; it uses one CPU, so 1 is all that it can have."""


class Phase(_Model):
    """A part of the run with arrivals of one kind."""

    name: str
    begin: Instant
    end: Instant
    """When the last request could be scheduled; answers may come later."""

    arrivals: Arrivals
    summary: Summary
    checks: Checks
    valid: bool
    """False where the generator was the bottleneck: then the figures are not the server's."""

    problems: list[str]
    """Why it is not valid."""


class Request(_Model):
    """One request. Those that Ctrl-C cut off are not in the file."""

    phase: int
    """Index in ``phases``."""

    scheduled: Instant
    """When it was to be sent; latency counts from here, so that a late generator hides nothing."""

    sent: Instant
    first_token: Instant | None = None
    """When the first piece of text came; null without streaming."""

    last_token: Instant | None = None
    """When the last piece of text came; null without streaming."""

    ended: Instant
    """When the answer was complete, or when it failed."""

    tokens: int | None = None
    """Tokens of the answer, as the server counts them."""

    status: int | None = None
    """HTTP status; null where none came."""

    replica: str | None = None
    """The replica that answered, if it says so."""

    error: str | None = None
    """What went wrong; null if, and only if, the answer was complete with status 200."""

    gaps: list[float] = []
    """Seconds between pieces of text: ``first_token`` and their sums give when each of them came."""

    @property
    def succeeded(self) -> bool:
        """Whether it was answered completely, with 200."""
        return self.error is None

    @property
    def failed(self) -> bool:
        """Neither answered nor politely refused: 429 is how a full queue works, everything else is a fault."""
        return self.error is not None and self.status != 429

    @property
    def latency(self) -> float:
        """Seconds from ``scheduled`` to ``ended``."""
        return self.ended - self.scheduled

    @property
    def ttft(self) -> float | None:
        """Seconds to the first token; None if none came."""
        return None if self.first_token is None else self.first_token - self.scheduled

    @property
    def tpot(self) -> float | None:
        """Seconds per token after the first; None where there are not two of them."""
        if self.first_token is None or self.last_token is None or (self.tokens or 0) < 2:
            return None
        return (self.last_token - self.first_token) / ((self.tokens or 0) - 1)


class Replica(_Model):
    """A replica at a moment, from the target's ``GET /live``."""

    name: str
    ready: bool
    memory_bytes: int | None = None
    """Memory of its process (resident set)."""

    cpu_seconds: float | None = None
    """Of processors, that its process has taken since it began."""

    in_flight: int | None = None
    """Requests that generate or wait."""


class Sample(_Model):
    """What the target said of its replicas at a moment, about once a second."""

    at: Instant
    replicas: list[Replica]


class Confirmation(_Model):
    """One more try of the two rates around the breaking point."""

    last_good_held: bool | None
    """Whether the last good rate was good again; null where there is no such rate."""

    breaking_point_broke: bool
    """Whether the breaking point's rate broke again."""

    @property
    def confirmed(self) -> bool:
        """Whether both came out as before."""
        return self.last_good_held is not False and self.breaking_point_broke


class StressFindings(_Model):
    """Where the target breaks."""

    kind: Literal["stress"] = "stress"
    breaking_point_rate: float | None
    """The lowest rate tried that broke, requests per second; null if none did."""

    last_good_rate: float | None
    """The rate before it (or the highest tried, if none broke); null if the first one broke."""

    reason: str
    """What broke, or why the search ended without a breaking point."""

    confirmations: list[Confirmation]


class Slope(_Model):
    """A trend: Theil-Sen slope with its 95 % confidence interval."""

    slope: float
    low: float
    high: float
    median: float
    """Median of what was fitted (bytes or seconds): what the slope is to be compared with."""


SoakVerdict = Literal["steady", "memory grows", "latency grows", "failing", "inconclusive"]


class SoakFindings(_Model):
    """Whether the target stays as it was."""

    kind: Literal["soak"] = "soak"
    memory_slope_bytes_per_hour: dict[str, Slope]
    """By replica; without those that were seen for too short a time."""

    latency_slope_seconds_per_hour: Slope | None
    verdict: SoakVerdict
    reason: str
    """The verdict in a sentence, with its figures."""


Findings = Annotated[StressFindings | SoakFindings, Field(discriminator="kind")]


class Results(_Model):
    """A results file."""

    schema_: Literal["codemodel-load/1"] = Field(default=SCHEMA, alias="schema")
    scenario: str
    profile: str
    command: list[str]
    """The command line that ran it."""

    seed: int
    """Of the random arrivals and prompts: the same seed sends the same load."""

    started: float
    """Unix time in seconds."""

    finished: bool
    """False after Ctrl-C: then it has what there was until then."""

    target: str
    streaming: bool
    machine: Machine
    server: Server
    goodput: Goodput
    phases: list[Phase]
    requests: list[Request]
    samples: list[Sample]
    findings: Findings | None = None
    """Of stress and soak, if finished."""

    @property
    def valid(self) -> bool:
        """Whether every phase is."""
        return all(phase.valid for phase in self.phases)


def read(path: Path) -> Results:
    """Return what a results file holds.

    Raises:
        ResultsError: it cannot be read, or is not of this schema.
    """
    try:
        return Results.model_validate_json(path.read_bytes())
    except OSError as error:
        raise ResultsError(f"{path} cannot be read: {error.strerror}") from None
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "the file"
        raise ResultsError(
            f"{path} is not a results file of schema {SCHEMA} ({where}: {first['msg']}): "
            "write it again with `codemodel-load run`"
        ) from None
