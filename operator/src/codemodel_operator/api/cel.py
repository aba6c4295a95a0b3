"""Admission rules in CEL. The models check the same in Python, for objects stored before a rule existed."""

from typing import Any


def rules(*pairs: tuple[str, str], **more: Any) -> dict[str, Any]:
    """Return the JSON-schema extension that carries CEL rules, each a pair (expression, message).

    The message says what to write instead: it is all that a user of `kubectl apply` sees.
    """
    return {"x-kubernetes-validations": [{"rule": r, "message": m} for r, m in pairs], **more}
