"""What is decided about a model before anything is scheduled for it."""

from dataclasses import dataclass, field, replace
from typing import Protocol

from codemodel_delivery.gguf.errors import GGUFError
from codemodel_delivery.gguf.header import Header

from .api.codemodel import Owner
from .api.quantity import parse_quantity
from .api.spec import CodeModelSpec, Model
from .api.status import CacheStatus, CodeModelStatus, ModelFacts
from .apply import Problem
from .caching import choose_cache, fill_in
from .inventory import Inventory
from .memory import facts_of, least_memory, memory_in, memory_of, misfit, outsized, plan_memory
from .observe import Observed, owned_by

_HEADER_REASONS = ("NotAModel", "UnsupportedModel", "ModelDoesNotFit")


class Headers(Protocol):
    """Reads the headers of models."""

    async def read(self, source: str) -> Header | None:
        """Return the header of the file at a source, None when it cannot be had now.

        Raises:
            NotAModel: the file is none that can be served; the message says what to do.
            UnsupportedModel: likewise.
        """


@dataclass(frozen=True)
class Plan:
    """What becomes of a CodeModel."""

    spec: CodeModelSpec
    """With nothing left out."""

    facts: ModelFacts = field(default_factory=ModelFacts)
    cache: CacheStatus | None = None
    problem: Problem | None = None
    """Why nothing is to be scheduled."""


async def make_plan(
    owner: Owner,
    spec: CodeModelSpec,
    observed: Observed,
    before: CodeModelStatus,
    *,
    headers: Headers,
    inventory: Inventory,
) -> Plan:
    """Decide where the model is kept and what memory it gets.

    Raises:
        OperatorError: what the cluster has could not be read just now; try again.
    """
    cache = await choose_cache(owner, spec, observed, before, inventory)
    plan = await _plan(owner, fill_in(spec, cache), observed, before, headers=headers, inventory=inventory)
    return replace(plan, cache=cache)


async def _plan(
    owner: Owner,
    spec: CodeModelSpec,
    observed: Observed,
    before: CodeModelStatus,
    *,
    headers: Headers,
    inventory: Inventory,
) -> Plan:
    """Decide once for each generation: what runs keeps its memory, whatever hub or formula do meanwhile."""
    deployment = observed.children.get("Deployment")
    decided = deployment and owned_by(deployment, owner.uid) and _decided(owner, before)
    live = memory_of(deployment) if deployment and decided else None
    model = spec.download
    # The Secret's token is the download's alone, so what it opens stays closed here.
    if model is None or model.secret_ref is not None:
        return Plan(plan_memory(spec, None, live))
    known = _known(model, before)
    if live is not None and before.observed_generation:
        return Plan(plan_memory(spec, None, live), known)
    try:
        header = await headers.read(model.source)
    except GGUFError as error:
        message = f"{model.source}: {error}; correct spec.model.source"
        return Plan(spec, problem=Problem(type(error).__name__, message))
    if live is not None:
        # The look that decided has not come to tell what it knew.
        return Plan(plan_memory(spec, None, live), facts_of(header, spec) if header else known)
    if header is None:
        # Not what runs: that may be what the user had asked for, and no longer does.
        return Plan(plan_memory(spec, None, memory_in(known)), known)
    problem = misfit(header, spec) or await _outsized(header, spec, inventory)
    return Plan(plan_memory(spec, header, None), facts_of(header, spec), problem=problem)


async def _outsized(header: Header, spec: CodeModelSpec, inventory: Inventory) -> Problem | None:
    """Look at the nodes only if the scheduler would not: it goes by the request alone."""
    request = spec.resources.requests.memory
    if request is None or parse_quantity(request) >= least_memory(header, spec):
        return None
    return outsized(header, spec, await inventory.nodes())


def _decided(owner: Owner, before: CodeModelStatus) -> bool:
    """Tell whether a Deployment that is there comes from a look at this spec."""
    if not before.observed_generation:
        # There is no status yet, so that it does if there has been no other spec.
        return owner.generation == 1
    stalled = before.condition("Stalled")
    refused = stalled is not None and stalled.status == "True" and stalled.reason in _HEADER_REASONS
    return before.observed_generation == owner.generation and not refused


def _known(model: Model, before: CodeModelStatus) -> ModelFacts:
    """What an earlier look found out about the same file."""
    then = before.model
    if then is None or (then.source, then.sha256) != (model.source, model.sha256):
        return ModelFacts()
    return ModelFacts(**{name: getattr(then, name) for name in ModelFacts.model_fields})
