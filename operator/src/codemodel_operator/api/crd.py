"""The CustomResourceDefinition, generated: `python -m codemodel_operator.api.crd > crds/…yaml`."""

import sys
from typing import Any

import yaml

from . import GROUP, KIND, PLURAL, VERSION
from .base import ApiModel
from .cel import rules
from .spec import CodeModelSpec
from .status import CodeModelStatus

# The name becomes a label value, a Service (RFC 1035) and, with a suffix, a volume claim.
_NAME_RULE = (
    "self.metadata.name.size() <= 54 && self.metadata.name.matches('^[a-z]([-a-z0-9]*[a-z0-9])?$')",
    "metadata.name names the Service too; write at most 54 lowercase letters, digits and hyphens, "
    "a letter first",
)
_COLUMNS = (
    ("Ready", "string", '.status.conditions[?(@.type=="Ready")].status', 0),
    ("Replicas", "integer", ".status.readyReplicas", 0),
    ("Model", "string", ".status.model.source", 0),
    ("Age", "date", ".metadata.creationTimestamp", 0),
    ("Reason", "string", '.status.conditions[?(@.type=="Ready")].reason', 1),
    ("Downloaded %", "integer", ".status.model.downloadedPercent", 1),
    ("Desired", "integer", ".status.desiredReplicas", 1),
    ("Endpoint", "string", ".status.endpoint", 1),
)


def structural(model: type[ApiModel]) -> dict[str, Any]:
    """Return the structural OpenAPI schema of a model: references inlined, no titles, no null types."""
    schema = model.model_json_schema()
    definitions = schema.pop("$defs", {})
    resolved: dict[str, Any] = _resolve(schema, definitions)
    return resolved


def _resolve(node: Any, definitions: dict[str, Any]) -> Any:
    if isinstance(node, list):
        return [_resolve(item, definitions) for item in node]
    if not isinstance(node, dict):
        return node
    if "$ref" in node:
        target = definitions[node["$ref"].rsplit("/", 1)[-1]]
        return _resolve({**target, **{k: v for k, v in node.items() if k != "$ref"}}, definitions)
    variants = [v for v in node.get("anyOf", []) if v.get("type") != "null"]
    if len(variants) == 1:  # an optional field may be left out; null is not another way to say so
        rest = {k: v for k, v in node.items() if k not in ("anyOf", "default")}
        return _resolve({**variants[0], **rest}, definitions)
    result = {
        key: (
            {name: _resolve(value, definitions) for name, value in child.items()}
            if key == "properties"
            else child
            if key in ("default", "enum", "required")
            else _resolve(child, definitions)
        )
        for key, child in node.items()
        if key != "title"
    }
    if result.get("type") == "object" and "default" in result:
        # Complete, because the API server holds a default to the rules before it fills in the fields.
        children = result["properties"].items()
        result["default"] = {name: child["default"] for name, child in children if "default" in child}
    if "enum" in result or "const" in result:
        result.setdefault("type", "string")
    return result


def build_crd() -> dict[str, Any]:
    """Return the CustomResourceDefinition as plain data."""
    status = structural(CodeModelStatus)
    _drop_defaults(status)
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{PLURAL}.{GROUP}"},
        "spec": {
            "group": GROUP,
            "scope": "Namespaced",
            "names": {
                "kind": KIND,
                "listKind": f"{KIND}List",
                "plural": PLURAL,
                "singular": KIND.lower(),
                "shortNames": ["cmodel"],
                "categories": ["inference"],
            },
            "versions": [
                {
                    "name": VERSION,
                    "served": True,
                    "storage": True,
                    "subresources": {"status": {}},
                    "additionalPrinterColumns": [
                        {"name": name, "type": type_, "jsonPath": path, **({"priority": 1} if wide else {})}
                        for name, type_, path, wide in _COLUMNS
                    ],
                    "schema": {
                        "openAPIV3Schema": {
                            "type": "object",
                            "description": "A code model to serve: downloaded, served over HTTP, autoscaled.",
                            "required": ["spec"],
                            "properties": {
                                "apiVersion": {"type": "string"},
                                "kind": {"type": "string"},
                                "metadata": {"type": "object"},
                                "spec": structural(CodeModelSpec),
                                # Or kstatus takes one for done that the operator has not seen yet.
                                "status": {**status, "default": {"observedGeneration": -1}},
                            },
                            **rules(_NAME_RULE),
                        }
                    },
                }
            ],
        },
    }


def _drop_defaults(schema: dict[str, Any]) -> None:
    """Remove defaults: only the operator writes the status, and the API server should not fill it in."""
    schema.pop("default", None)
    for child in (*schema.get("properties", {}).values(), *filter(None, [schema.get("items")])):
        _drop_defaults(child)


def render() -> str:
    """Return the CRD as YAML, the exact content of the file under crds/."""
    header = "# Generated by `python -m codemodel_operator.api.crd`; edit the models, not this file.\n"
    return header + yaml.safe_dump(build_crd(), sort_keys=False, width=110, allow_unicode=True)


if __name__ == "__main__":
    sys.stdout.write(render())
