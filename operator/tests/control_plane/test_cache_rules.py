"""What admission says to a change of the cache: a volume neither shrinks nor changes its class."""

import httpx
import pytest

from .api import Manifest
from .bench import Bench

SHARED, EPHEMERAL = {"mode": "Shared"}, {"mode": "Ephemeral"}
OTHERS = [{"size": "5Gi"}, {"storageClassName": "fast"}, {"accessMode": "ReadWriteMany"}]


def answer(bench: Bench, before: Manifest, after: Manifest) -> int:
    """The status that changing a cache is answered with."""
    with bench.namespace() as namespace:
        manifest = {
            "apiVersion": "codemodel.dev/v1alpha1",
            "kind": "CodeModel",
            "metadata": {"name": "coder", "namespace": namespace},
            "spec": {"engine": {"name": "mock"}, "cache": before},
        }
        stored = bench.api.create(manifest)
        # What was left out stays so: nothing but the operator decides.
        assert stored["spec"]["cache"].get("mode") == before.get("mode")
        path = f"/apis/codemodel.dev/v1alpha1/namespaces/{namespace}/codemodels/coder"
        changed = {**stored, "spec": {**stored["spec"], "cache": after}}
        return bench.api.raw("PUT", path, json=changed).status_code


@pytest.mark.parametrize("after", OTHERS)
@pytest.mark.parametrize("mode", [SHARED, {}], ids=["shared", "left out"])
def test_it_is_fixed_while_it_is_or_may_be_shared(
    control_plane: Bench, mode: Manifest, after: Manifest
) -> None:
    assert answer(control_plane, mode, {**mode, **after}) == httpx.codes.UNPROCESSABLE_ENTITY


@pytest.mark.parametrize("after", OTHERS)
@pytest.mark.parametrize(
    ("then", "now"),
    [(EPHEMERAL, EPHEMERAL), (SHARED, EPHEMERAL), (EPHEMERAL, SHARED), (EPHEMERAL, {}), ({}, SHARED)],
    ids=["ephemeral", "no more shared", "shared from now on", "left out from now on", "written from now on"],
)
def test_it_is_free_otherwise(control_plane: Bench, then: Manifest, now: Manifest, after: Manifest) -> None:
    """Writing the mode is the way out for those who left it out and got no volume."""
    assert answer(control_plane, then, {**now, **after}) == httpx.codes.OK
