"""The manifests to look at: what an administrator applies, and what the operator makes of CodeModels."""

import shutil
from pathlib import Path

from e2e.cluster import settings
from e2e.cluster.steps import step

_OVERLAYS = settings.ROOT / "deploy" / "overlays"
_CHILDREN = settings.ROOT / "operator" / "tests" / "data" / "builders"
"""What the operator's builders make, kept equal to them by its tests."""


def render(folder: Path, kubectl: str | Path) -> list[Path]:
    """Write each overlay, and the children of each CodeModel that the builders' tests have, as a file of its own.

    Args:
        folder: where; it exists.
        kubectl: the program.

    Raises:
        StepError: an overlay cannot be rendered.
    """
    for children in sorted(_CHILDREN.glob("*.output.yaml")):
        shutil.copy(children, folder / f"codemodel-{children.name.removesuffix('.output.yaml')}.yaml")
    with step("Rendering the overlays") as current:
        for overlay in sorted(_OVERLAYS.iterdir()):
            (folder / f"{overlay.name}.yaml").write_text(current.run(kubectl, "kustomize", overlay))
    return sorted(folder.glob("*.yaml"))
