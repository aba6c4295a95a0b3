"""How much memory a replica gets, decided before anything is scheduled. Pure functions."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from codemodel_delivery.gguf.estimate import bytes_per_cell, required_memory, usable_context
from codemodel_delivery.gguf.header import Header
from codemodel_delivery.gguf.room import contexts, limit_for

from .api.quantity import parse_quantity
from .api.spec import CodeModelSpec
from .api.status import ModelFacts
from .apply import Problem
from .cluster import Manifest
from .nodes import Node, too_small
from .resources.deployment import SERVER

_MIB = 1 << 20
_GIB = 1 << 30
_UNKNOWN_REQUEST = "4Gi"
_UNKNOWN_LIMIT = "8Gi"


@dataclass(frozen=True)
class Memory:
    """Of a container, as quantities."""

    request: str
    limit: str


def facts_of(header: Header, spec: CodeModelSpec) -> ModelFacts:
    """Return what a header says, for the status."""
    return ModelFacts(
        architecture=header.architecture,
        parameters=header.parameters,
        quantization=header.quantization,
        context_length=header.context_length or None,
        size_bytes=header.size,
        required_memory=_text(_needed(header, spec)),
    )


def misfit(header: Header, spec: CodeModelSpec) -> Problem | None:
    """Return why the server would not start within the user's limit, None when it would."""
    limit = spec.resources.limits.memory
    if limit is None or parse_quantity(limit) >= least_memory(header, spec):
        return None
    return Problem(
        "ModelDoesNotFit",
        f"{_least(header, spec)}, and spec.resources.limits.memory is {limit}; raise it, lower "
        f"spec.engine.contextLength, or choose a smaller model",
    )


def outsized(header: Header, spec: CodeModelSpec, nodes: Sequence[Node] | None) -> Problem | None:
    """Return why no node could serve the model that the user's request lets onto one, None when one could."""
    node = too_small(nodes, Decimal(least_memory(header, spec)))
    if node is None:
        return None
    return Problem(
        "ModelDoesNotFit",
        f"{_least(header, spec)}, and the largest node, {node.name}, has {_room(node)} for its pods; "
        f"spec.resources.requests.memory is {spec.resources.requests.memory}, with which it would be started there "
        f"and fail. Request as much as it needs if such a node is added on demand; else add one, lower "
        f"spec.engine.contextLength, or choose a smaller model",
    )


def unplaceable(deployment: Manifest, nodes: Sequence[Node] | None) -> str | None:
    """Return why no node will ever hold a replica whose memory was worked out, None when one could."""
    asked = memory_of(deployment)
    node = too_small(nodes, parse_quantity(asked.request)) if asked else None
    if asked is None or node is None:
        return None
    return (
        f"A replica needs {asked.request} for the model and its contexts, and the largest node, {node.name}, has "
        f"{_room(node)} for its pods; lower spec.engine.contextLength, spec.engine.parallel or "
        f"spec.resources.limits.memory, choose a smaller model, or add a larger node: it starts there by itself"
    )


def least_memory(header: Header, spec: CodeModelSpec) -> int:
    """Return the bytes without which the server does not start: for the model and one context."""
    context = usable_context(header, spec.engine.context_length)
    return limit_for(header.weight_bytes, context, bytes_per_cell(header))


def _least(header: Header, spec: CodeModelSpec) -> str:
    context = usable_context(header, spec.engine.context_length)
    return (
        f"The model ({_text(header.weight_bytes)}) and one context of {context} tokens need "
        f"{_text(least_memory(header, spec))}"
    )


def plan_memory(spec: CodeModelSpec, header: Header | None, known: Memory | None) -> CodeModelSpec:
    """Return the spec with the memory that was left out filled in.

    Args:
        spec: what the user wrote.
        header: of the model; None if it is not known.
        known: what was decided earlier; counts if there is no header to say better.
    """
    request, limit = spec.resources.requests.memory, spec.resources.limits.memory
    if header is not None:
        needed = _text(_needed(header, spec))
        likely = Memory(needed, needed)
    else:
        likely = known or Memory(_UNKNOWN_REQUEST, _UNKNOWN_LIMIT)
    limit = limit or max(likely.limit, request or likely.request, key=parse_quantity)
    request = request or min(likely.request, limit, key=parse_quantity)
    resources = spec.resources.model_copy(
        update={
            "requests": spec.resources.requests.model_copy(update={"memory": request}),
            "limits": spec.resources.limits.model_copy(update={"memory": limit}),
        }
    )
    return spec.model_copy(update={"resources": resources})


def memory_in(facts: ModelFacts) -> Memory | None:
    """Return what was decided when the header was last read, None when it never was."""
    needed = facts.required_memory
    return Memory(needed, needed) if needed else None


def memory_of(deployment: Manifest) -> Memory | None:
    """Return what the server's container of a live Deployment has, None when it is not complete."""
    pod = deployment.get("spec", {}).get("template", {}).get("spec", {})
    container: Manifest = next((c for c in pod.get("containers") or () if c.get("name") == SERVER), {})
    resources = container.get("resources") or {}
    request = (resources.get("requests") or {}).get("memory")
    limit = (resources.get("limits") or {}).get("memory")
    return Memory(_text(parse_quantity(request)), _text(parse_quantity(limit))) if request and limit else None


def _needed(header: Header, spec: CodeModelSpec) -> int:
    """Bytes for all contexts: by the estimate, and by the server, which would hold fewer tokens with less."""
    engine = spec.engine
    estimate = required_memory(header, engine.context_length, engine.parallel)
    cells = usable_context(header, engine.context_length) * contexts(engine.parallel)
    return max(estimate.total, limit_for(header.weight_bytes, cells, bytes_per_cell(header)))


def _room(node: Node) -> str:
    return _text(node.memory // _MIB * _MIB)


def _text(size: int | Decimal) -> str:
    """As the API server would write it, or else what is read back would look like a change."""
    mebibytes = math.ceil(size / _MIB)
    return f"{mebibytes * _MIB // _GIB}Gi" if mebibytes * _MIB % _GIB == 0 else f"{mebibytes}Mi"
