"""Specs made up from the CRD's schema: most of them are accepted, some are what admission has to refuse."""

from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from codemodel_operator.api.crd import build_crd

Spec = dict[str, Any]

_WORDS = st.from_regex(r"[a-z0-9]([a-z0-9.-]{0,20}[a-z0-9])?", fullmatch=True)
_SOURCES = st.one_of(
    st.builds("{}://{}/{}".format, st.sampled_from(["http", "https"]), _WORDS, _WORDS),
    st.builds("hf://{}/{}/{}".format, _WORDS, _WORDS, _WORDS),
    st.builds("pvc://{}/{}".format, _WORDS, _WORDS),
    st.builds("oci://{}:{}/{}".format, _WORDS, _WORDS, _WORDS),
)
_QUANTITIES = st.one_of(
    st.integers(1, 8),
    st.builds(
        "{}{}".format, st.integers(1, 4096), st.sampled_from(["", "m", "k", "Ki", "M", "Mi", "G", "Gi", "e3"])
    ),
)
# What the rules in CEL ask of a text is not in the schema's own words.
_TEXTS: dict[str, SearchStrategy[Any]] = {
    "source": _SOURCES,
    "sha256": st.text("0123456789abcdef", min_size=64, max_size=64),
    # With some that only the children's own admission refuses: a space at the end, a capital letter.
    "name": st.one_of(_WORDS, st.text("aZ_ .", min_size=1, max_size=5)),
    "storageClassName": st.one_of(_WORDS, st.text("aZ_ .", min_size=1, max_size=5)),
    "image": st.one_of(_WORDS, st.text("aZ_ .:@", min_size=1, max_size=8)),
}


_RARELY = st.integers(0, 7).map(lambda number: number == 7)
_REPLICAS = {"minReplicas": 1, "maxReplicas": 5}
"""With their defaults."""


def specs() -> SearchStrategy[Spec]:
    """Return specs of CodeModels, each with any of the fields that the schema has now."""
    version = build_crd()["spec"]["versions"][0]
    anything = _values(version["schema"]["openAPIV3Schema"]["properties"]["spec"], "spec")
    return st.builds(lambda spec, as_it_is: spec if as_it_is else _plausible(spec), anything, _RARELY)


def reverting(before: Spec, after: Spec) -> Spec:
    """Return a second spec from which the way back to the first is open: a shared cache never shrinks."""
    if _mode(before) == _mode(after) == "Shared":
        same = {"cache": before["cache"]} if "cache" in before else {}
        return {**{key: value for key, value in after.items() if key != "cache"}, **same}
    return after


def _plausible(spec: Spec) -> Spec:
    """Keep to the rules of admission about several fields at once, which few specs do by chance."""
    plausible = dict(spec)
    if "model" not in spec:
        plausible["engine"] = {**spec.get("engine", {}), "name": "mock"}
    elif not spec["model"]["source"].startswith(("http", "hf")):
        plausible["model"] = {"source": spec["model"]["source"]}
    if "nodePort" in spec.get("service", {}):
        plausible["service"] = {**spec["service"], "type": "NodePort"}
    if "scaling" in spec:
        bounds = [spec["scaling"].get(name, default) for name, default in _REPLICAS.items()]
        plausible["scaling"] = {**spec["scaling"], **dict(zip(_REPLICAS, sorted(bounds), strict=True))}
    # Requests alone or limits alone: one is seldom above the other's default.
    if "requests" in spec.get("resources", {}):
        plausible["resources"] = {"requests": spec["resources"]["requests"]}
    return plausible


def _mode(spec: Spec) -> str:
    return str(spec.get("cache", {}).get("mode", "Shared"))


def _values(schema: dict[str, Any], name: str) -> SearchStrategy[Any]:
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    if schema.get("x-kubernetes-int-or-string"):
        return _QUANTITIES
    match schema["type"]:
        case "object":
            fields = {key: _values(child, key) for key, child in schema["properties"].items()}
            required = {key: fields.pop(key) for key in schema.get("required", ())}
            return st.fixed_dictionaries(required, optional=fields)
        case "integer":
            return st.integers(schema["minimum"], schema["maximum"])
        case "boolean":
            return st.booleans()
        case "string":
            least, most = schema.get("minLength", 0), schema["maxLength"]
            return _TEXTS[name] if name in _TEXTS else st.text(min_size=least, max_size=most)
        case other:
            raise NotImplementedError(f"{name} has type {other}: say here how to make one up")
