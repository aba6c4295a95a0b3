"""What the operator asks its API server for, as RBAC names it."""

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

_PATH = re.compile(
    r"/(?:api|apis/[^/]+)/[^/]+(?:/namespaces/(?P<namespace>[^/]+))?/(?P<plural>[^/]+)"
    r"(?:/(?P<name>[^/]+)(?:/(?P<part>[^/]+))?)?"
)
_VERBS = {"POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}
VERBS = ("get", "list", "watch", "create", "patch", "delete")
"""All that the operator uses."""


@dataclass(frozen=True)
class Request:
    """One request, and the how-manieth of its sort it is, from 1."""

    verb: str
    resource: str
    """Plural, with its subresource: codemodels/status; empty for what is no resource, such as /apis."""

    path: str
    selector: str
    starting: bool
    """The operator looks whether there are CodeModels at all, and ends when it cannot see."""

    nth: int
    """Of this verb on this resource."""

    write: int
    """Of all writes; 0 for a read."""


def describe(method: str, path: str, query: Mapping[str, str], counts: Counter[tuple[str, str]]) -> Request:
    """Return what a request is, and count it.

    Args:
        method: of HTTP.
        path: without the query.
        query: its parameters.
        counts: of the requests before, by verb and resource; all writes under ("write", "").
    """
    match = _PATH.fullmatch(path)
    groups = match.groupdict() if match else {}
    resource = "/".join(filter(None, (groups.get("plural"), groups.get("part"))))
    verb = _VERBS.get(method) or _reading(groups.get("name"), query, match is not None)
    counts[verb, resource] += 1
    writes = verb in _VERBS.values()
    counts["write", ""] += writes
    return Request(
        verb,
        resource,
        path,
        query.get("labelSelector", ""),
        starting=query.get("limit") == "1",
        nth=counts[verb, resource],
        write=counts["write", ""] if writes else 0,
    )


def _reading(name: str | None, query: Mapping[str, str], is_resource: bool) -> str:
    if not is_resource or name:
        return "get"
    return "watch" if query.get("watch") in ("1", "true") else "list"
