"""Kubernetes quantities ("500m", "4Gi", 2): parsed, compared by value, described for the CRD."""

import re
from decimal import Decimal
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, WithJsonSchema

# The forms and suffixes of k8s.io/apimachinery/pkg/api/resource.Quantity, positive numbers only.
PATTERN = r"^[0-9]+(\.[0-9]+)?(m|k|Ki|M|Mi|G|Gi|T|Ti|P|Pi|E|Ei|[eE][+-]?[0-9]{1,2})?$"

_SUFFIXES = {
    "": Decimal(1),
    "m": Decimal("0.001"),
    **{s: Decimal(1000) ** n for n, s in enumerate("kMGTPE", start=1)},
    **{f"{s}i": Decimal(1024) ** n for n, s in enumerate("KMGTPE", start=1)},
}
_FORM = re.compile(r"^([+-]?[0-9]*\.?[0-9]+\.?)([eE][+-]?[0-9]+|n|u|m|k|Ki|[MGTPE]i?|)$")


def parse_quantity(value: str | float) -> Decimal:
    """Return the value of a quantity in its base unit (cores, bytes).

    Raises:
        ValueError: the text is not a quantity; the message names what a quantity looks like.
    """
    match = _FORM.match(str(value))
    if not match:
        raise ValueError(f'{value!r} is not a quantity; write for example "500m", "2" or "4Gi"')
    number, suffix = match.groups()
    if suffix[:1] in ("e", "E") and len(suffix) > 1 and suffix != "Ei":
        return Decimal(f"{number}{suffix}")
    if suffix in ("n", "u"):
        return Decimal(number) * (Decimal("1e-9") if suffix == "n" else Decimal("1e-6"))
    return Decimal(number) * _SUFFIXES[suffix]


def _to_text(value: Any) -> Any:
    """YAML's `cpu: 2` is a number; a boolean is not, although Python says it is."""
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


def _checked(value: str) -> str:
    if not re.match(PATTERN, value):
        raise ValueError(f'{value!r} is not a quantity; write for example "500m", "2" or "4Gi"')
    return value


Quantity = Annotated[
    str,
    BeforeValidator(_to_text),
    AfterValidator(_checked),
    WithJsonSchema(
        {
            "anyOf": [{"type": "integer"}, {"type": "string"}],
            "x-kubernetes-int-or-string": True,
            "pattern": PATTERN,
            "maxLength": 32,
        }
    ),
]
"""A quantity kept as text, as written; compare two with `parse_quantity`."""
