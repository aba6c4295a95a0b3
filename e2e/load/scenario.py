"""Scenarios: what load is sent, as data. Those in ``scenarios/`` have names; any other file is given by its path."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Literal, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from e2e.load.results import Arrivals, Goodput

FOLDER = Path(__file__).parent / "scenarios"

MAX_CLIENTS = 256
MAX_RATE = 200.0
MAX_SECONDS = 3600.0
MAX_REQUESTS = 20_000
"""Bounds of a phase, so that a slip of the pen is no flood."""


class ScenarioError(Exception):
    """There is no such scenario, or its file is wrong; its text says what to do."""


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Closed(_Model):
    """So many clients, each sending its next request when the last one is answered."""

    kind: Literal["closed"]
    clients: int = Field(ge=1, le=MAX_CLIENTS)
    pause_seconds: float = Field(0, ge=0, le=MAX_SECONDS)
    """Between an answer and the client's next request (think time)."""


class Open(_Model):
    """So many requests per second, whatever becomes of the answers."""

    kind: Literal["constant", "poisson"]
    rate: float = Field(gt=0, le=MAX_RATE)


class PhasePlan(_Model):
    """A phase: it ends after so many requests, or so many seconds."""

    name: str = Field(min_length=1, max_length=60)
    arrivals: Annotated[Closed | Open, Field(discriminator="kind")]
    requests: int | None = Field(default=None, ge=1, le=MAX_REQUESTS)
    seconds: float | None = Field(default=None, gt=0, le=MAX_SECONDS)

    @model_validator(mode="after")
    def _one_end(self) -> Self:
        if (self.requests is None) == (self.seconds is None):
            raise ValueError("give either requests or seconds")
        if isinstance(self.arrivals, Open):
            if self.seconds is None:
                raise ValueError("open arrivals end after seconds, not requests")
            if self.arrivals.rate * self.seconds > MAX_REQUESTS:
                raise ValueError(f"rate times seconds is more than {MAX_REQUESTS} requests")
        return self

    def told(self) -> Arrivals:
        """The arrivals as the results tell them."""
        if isinstance(self.arrivals, Closed):
            return Arrivals(kind="closed", clients=self.arrivals.clients)
        return Arrivals(kind=self.arrivals.kind, rate=self.arrivals.rate)


class Ramp(_Model):
    """A search for the breaking point: a rate that rises step by step until the target breaks."""

    kind: Literal["constant", "poisson"] = "constant"
    first: float = Field(gt=0, le=MAX_RATE)
    step: float = Field(gt=0, le=MAX_RATE)
    last: float = Field(gt=0, le=MAX_RATE)
    """Requests per second: the first rate, what is added, and the highest rate."""

    seconds: float = Field(gt=0, le=MAX_SECONDS)
    """Length of each step."""

    success_below: float = Field(gt=0, le=1)
    """A step breaks when its success rate is below."""

    latency_above_seconds: float = Field(gt=0)
    """A step breaks when the 90th percentile of its latency is above."""

    confirmations: int = Field(ge=0, le=10)
    """How often the two rates around the breaking point are tried again."""

    def rates(self) -> Iterator[float]:
        """Yield the rates in the order in which they are tried; ``last`` is always one of them."""
        rate = self.first
        while rate < self.last:
            yield rate
            rate += self.step
        yield self.last

    def attempt(self, rate: float, name: str) -> PhasePlan:
        """The phase that tries a rate."""
        return PhasePlan(name=name, arrivals=Open(kind=self.kind, rate=rate), seconds=self.seconds)


class Profile(_Model):
    """How much of it: phases one after another without a pause, or a ramp."""

    phases: list[PhasePlan] = Field([], max_length=100)
    ramp: Ramp | None = None

    @model_validator(mode="after")
    def _one_of_them(self) -> Self:
        if bool(self.phases) == (self.ramp is not None):
            raise ValueError("give either phases or a ramp")
        return self


class Scenario(_Model):
    """A scenario."""

    scenario: str = Field(pattern="^[a-z][a-z0-9-]{0,40}$")
    about: str
    """What it does, in a line."""

    results: str = Field(pattern=r"^[a-z][a-z0-9_-]{0,40}\.json$")
    """Name of its results file; the CSV beside it has the same with another ending."""

    prompts: list[str] = Field(min_length=1)
    """One is drawn for each request; ``{n}`` becomes the request's number, so that no two are the same."""

    max_tokens: int = Field(ge=1, le=1_000_000)
    stream: bool = True
    timeout_seconds: float = Field(gt=0, le=600)
    """A request that is not answered completely by then has failed."""

    goodput: Goodput
    trends: bool = False
    """Whether memory and latency over time are judged (soak)."""

    profiles: dict[Literal["full", "ci"], Profile]

    def profile(self, name: str) -> Profile:
        """Return a profile.

        Raises:
            ScenarioError: the scenario has none of this name.
        """
        for known, profile in self.profiles.items():
            if known == name:
                return profile
        raise ScenarioError(f"{self.scenario} has no profile {name}: choose {' or '.join(self.profiles)}")


def names() -> list[str]:
    """The scenarios that have names."""
    return sorted(path.stem for path in FOLDER.glob("*.yaml"))


def load(name: str) -> Scenario:
    """Read a scenario by its name, or by the path of its file (which ends in .yaml).

    Raises:
        ScenarioError: there is none, or its file is wrong.
    """
    path = Path(name) if name.endswith((".yaml", ".yml")) else FOLDER / f"{name}.yaml"
    if path.parent == FOLDER and path.stem not in names():
        raise ScenarioError(
            f"no scenario {name}: choose {', '.join(names())}, or give a file that ends in .yaml"
        )
    try:
        return Scenario.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise ScenarioError(f"{path} cannot be read: {error.strerror}") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ScenarioError(f"{path} is not YAML: {error}") from None
    except ValidationError as error:
        wrong = "; ".join(f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors())
        raise ScenarioError(f"{path} is no scenario ({wrong}): docs/load.md lists the fields") from None
