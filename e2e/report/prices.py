"""Prices of machines: the form of prices.yaml."""

from datetime import date
from pathlib import Path
from typing import Annotated

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from e2e.report.errors import ReportError

DEFAULT = Path(__file__).with_name("prices.yaml")

Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Text = Annotated[str, Field(min_length=1, max_length=200)]


class _Form(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Replica(_Form):
    """What one replica may use of a machine."""

    cpu_cores: Positive
    memory_gib: Positive


class Machine(_Form):
    """A machine that can be rented, and its price."""

    provider: Text
    name: Text
    region: Text
    vcpus: Positive
    memory_gib: Positive
    price_per_hour: Positive
    currency: Text
    noted: date
    """When the price was written down."""

    source: Text

    def share(self, replica: Replica) -> float:
        """Return the part of the machine that a replica keeps others from using: of its scarcer resource."""
        return max(replica.cpu_cores / self.vcpus, replica.memory_gib / self.memory_gib)

    def replica_price(self, replica: Replica) -> float:
        """Return what a replica costs in an hour, in the machine's currency."""
        return self.price_per_hour * self.share(replica)


class Prices(_Form):
    """The whole file."""

    replica: Replica
    replica_in: dict[str, Replica] = {}
    """By scenario, where that had replicas of another size."""

    machines: Annotated[tuple[Machine, ...], Field(min_length=1)]

    def of(self, scenario: str) -> Replica:
        """Return the size of the replicas that a scenario had."""
        return self.replica_in.get(scenario, self.replica)


def read(path: Path) -> Prices:
    """Read a file of prices.

    Raises:
        ReportError: it cannot be read, is not of this form, or a replica is larger than one of the machines.
    """
    try:
        prices = Prices.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ReportError(f"{path} cannot be read as prices: {error}") from error
    except ValidationError as error:
        raise ReportError(f"{path} is no file of prices (see {DEFAULT.name}): {problems(error)}") from error
    largest = [prices.replica, *prices.replica_in.values()]
    for machine in prices.machines:
        if any(machine.share(replica) > 1 for replica in largest):
            raise ReportError(
                f"{path}: a replica is larger than {machine.name}: take a larger machine out of the list"
            )
    return prices


def problems(error: ValidationError) -> str:
    """Return what is wrong, field by field, in one line; the first three of them."""
    found = [f"{'.'.join(map(str, one['loc'])) or 'the file'}: {one['msg']}" for one in error.errors()]
    more = f"; and {len(found) - 3} more" if len(found) > 3 else ""
    return "; ".join(found[:3]) + more
