"""Kubernetes quantities ("500m", "4Gi", 2): parsed, compared by value, described for the CRD."""

import re
from decimal import Decimal
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, WithJsonSchema

from .cel import rules

_HELP = 'write a quantity above zero, such as "500m" or "2" for CPU, "512Mi" or "4Gi" for bytes'
_SUFFIXES = {
    "n": Decimal("1e-9"),
    "u": Decimal("1e-6"),
    "m": Decimal("1e-3"),
    "": Decimal(1),
    **{s: Decimal(1000) ** n for n, s in enumerate("kMGTPE", start=1)},
    **{f"{s}i": Decimal(1024) ** n for n, s in enumerate("KMGTPE", start=1)},
}
# The forms and suffixes of k8s.io/apimachinery/pkg/api/resource.Quantity; exponents of two digits suffice.
_FORM = re.compile(
    r"([+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+))([eE][+-]?[0-9]{1,2}|n|u|m|k|Ki|[MGTPE]i?|)", re.ASCII
)


def parse_quantity(value: str | float) -> Decimal:
    """Return the value of a quantity in its base unit (cores, bytes).

    Raises:
        ValueError: the text is not a quantity; the message says what one looks like.
    """
    match = _FORM.fullmatch(str(value))
    if not match:
        raise ValueError(f"{value!r} is no quantity: {_HELP}")
    number, suffix = match.groups()
    return Decimal(number) * _SUFFIXES[suffix] if suffix in _SUFFIXES else Decimal(number + suffix)


def _to_text(value: Any) -> Any:
    """YAML's `cpu: 2` is a number; a boolean is not, although Python says it is."""
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


def _checked(value: str) -> str:
    if parse_quantity(value) <= 0:
        raise ValueError(f"{value!r} is too small: {_HELP}")
    return value


Quantity = Annotated[
    str,
    BeforeValidator(_to_text),
    AfterValidator(_checked),
    WithJsonSchema(
        {
            "x-kubernetes-int-or-string": True,
            "maxLength": 32,
            # Not a pattern: it would be shown as it is, and would let negative whole numbers pass.
            **rules(
                ("isQuantity(string(self)) && quantity(string(self)).isGreaterThan(quantity('0'))", _HELP)
            ),
        }
    ),
]
"""A quantity kept as text, as written; compare two with `parse_quantity`."""
