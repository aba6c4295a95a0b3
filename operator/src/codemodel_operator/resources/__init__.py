"""Pure builders: a CodeModel in, the desired child out, as plain data. One file a kind."""

from typing import Any

from ..api.codemodel import Owner
from ..api.spec import CodeModelSpec
from .autoscaler import build_autoscaler
from .deployment import build_deployment
from .service import build_service
from .storage import build_storage

Manifest = dict[str, Any]


def build_children(owner: Owner, spec: CodeModelSpec, *, default_image: str) -> list[Manifest]:
    """Return every child that the CodeModel should have, what others depend on first."""
    storage = build_storage(owner, spec)
    return [
        *([storage] if storage else []),
        build_deployment(owner, spec, image=spec.image or default_image),
        build_service(owner, spec),
        build_autoscaler(owner, spec),
    ]
