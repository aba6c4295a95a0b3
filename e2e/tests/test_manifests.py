"""What is in deploy/ and samples/ is accepted by a real API server."""

from collections.abc import Iterator

import pytest
import yaml

from e2e.api import Api
from e2e.cluster import settings
from e2e.codemodels import suite_namespace
from e2e.kubectl import kubectl

OVERLAYS = sorted(path.name for path in (settings.ROOT / "deploy" / "overlays").glob("*"))
SAMPLES = sorted({path.name for path in (settings.ROOT / "samples").glob("*.yaml")} - {"kustomization.yaml"})


@pytest.fixture
def present(api: Api, namespaces: None) -> Iterator[set[str]]:
    """Namespaces to create for the test's time: a dry run does not remember those that it would create itself."""
    wanted: set[str] = set()
    yield wanted
    for name in wanted:
        api.delete("Namespace", name)


def have_namespaces(api: Api, manifests: str, created: set[str]) -> None:
    for manifest in yaml.safe_load_all(manifests):
        name = (manifest or {}).get("metadata", {}).get("namespace")
        if name and api.get("Namespace", name) is None:
            api.create(suite_namespace(name))
            created.add(name)


def test_there_are_the_overlays_of_every_place_it_runs_in() -> None:
    assert {"kind", "gke", "nautilus"} <= set(OVERLAYS)


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_an_overlay_would_apply(api: Api, present: set[str], overlay: str) -> None:
    folder = str(settings.ROOT / "deploy" / "overlays" / overlay)
    have_namespaces(api, kubectl("kustomize", folder), present)
    output = kubectl("apply", "--server-side", "--force-conflicts", "--dry-run=server", "-k", folder)
    for kind in ("deployment.apps/codemodel-operator", "serviceaccount/codemodel-operator"):
        assert f"{kind} serverside-applied (server dry run)" in output


@pytest.mark.parametrize("sample", SAMPLES)
def test_a_sample_would_apply(api: Api, present: set[str], sample: str) -> None:
    file = settings.ROOT / "samples" / sample
    have_namespaces(api, file.read_text(), present)
    output = kubectl("apply", "--server-side", "--force-conflicts", "--dry-run=server", "-f", str(file))
    assert "codemodel.codemodel.dev/" in output
