"""A short, stable hash of plain data."""

import hashlib
import json
from typing import Any


def fingerprint(data: Any) -> str:
    """Return 16 hexadecimal digits that are equal for equal data, whatever the order of the keys."""
    text = json.dumps(data, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:16]
