"""Whether a live object still is what was desired. Pure."""

from collections.abc import Mapping
from typing import Any

from .api import GROUP
from .api.quantity import parse_quantity
from .fingerprint import fingerprint

APPLIED_ANNOTATION = f"{GROUP}/applied"
"""On children: fingerprint of the manifest last applied. Betrays a field that is no longer desired."""

# Compared by value ("1000m" is "1", "1024Mi" is "1Gi"): the API server rewrites them.
_QUANTITIES = {"cpu", "memory", "storage", "sizeLimit"}
# Maps in which one entry too many changes the meaning.
_EXACT = {"selector", "matchLabels"}
# Lists of objects in which one entry too many does: a renamed container is a second one.
_COMPLETE = {"containers", "initContainers", "ports", "env", "volumes", "volumeMounts"}


def marked(desired: Mapping[str, Any]) -> dict[str, Any]:
    """Return the manifest with the annotation that holds its own fingerprint."""
    metadata = desired["metadata"]
    annotations = {**metadata.get("annotations", {}), APPLIED_ANNOTATION: fingerprint(desired)}
    return {**desired, "metadata": {**metadata, "annotations": annotations}}


def same_intent(desired: Mapping[str, Any], live: Mapping[str, Any]) -> bool:
    """Tell whether the live object was applied from this very manifest."""
    annotations = live.get("metadata", {}).get("annotations") or {}
    return bool(annotations.get(APPLIED_ANNOTATION) == fingerprint(desired))


def drifted(desired: Any, live: Any, key: str = "") -> bool:
    """Tell whether anything desired is missing or different in the live object.

    What the API server or another controller added is not drift. Lists of named objects are matched by name.
    """
    if isinstance(desired, Mapping):
        if not isinstance(live, Mapping) or (key in _EXACT and desired.keys() != live.keys()):
            return True
        return any(drifted(value, live.get(name), name) for name, value in desired.items())
    if isinstance(desired, list):
        return _list_drifted(desired, live, key)
    if key in _QUANTITIES and live is not None:
        return parse_quantity(desired) != parse_quantity(live)
    # An empty map, an empty text and false may be left out of what the API server returns.
    return bool(desired != live and (desired or live))


def entries_differ(desired: Any, live: Any, key: str = "") -> bool:
    """Tell whether a list that must be complete has other entries than desired.

    Server-side apply does not remove the entries of others, and next to them ours may even be refused: a
    Service port under another number, a renamed container.
    """
    if isinstance(desired, Mapping) and isinstance(live, Mapping):
        return any(entries_differ(value, live.get(name), name) for name, value in desired.items())
    if isinstance(desired, list) and isinstance(live, list):
        if key in _COMPLETE and [_identity(d) for d in desired] != [_identity(v) for v in live]:
            return True
        return any(entries_differ(d, v) for d, v in zip(desired, live, strict=False))
    return False


def _identity(entry: Mapping[str, Any]) -> tuple[Any, ...]:
    return tuple(entry.get(key) for key in ("name", "port", "containerPort", "protocol", "mountPath"))


def _list_drifted(desired: list[Any], live: Any, key: str) -> bool:
    if not isinstance(live, list):
        return bool(desired)
    if key in _COMPLETE and len(desired) != len(live):
        return True
    if desired and all(isinstance(item, Mapping) and "name" in item for item in desired):
        by_name = {item.get("name"): item for item in live if isinstance(item, Mapping)}
        return any(drifted(item, by_name.get(item["name"])) for item in desired)
    return len(desired) != len(live) or any(drifted(d, v) for d, v in zip(desired, live, strict=True))
