"""Any CodeModel that the API server accepts is brought about, and any change can be taken back."""

import os
import zlib
from collections.abc import Iterator

import httpx
import pytest
from hypothesis import HealthCheck, assume, given, settings

from codemodel_delivery.gguf.errors import NotAModel, UnsupportedModel
from codemodel_delivery.gguf.header import Header
from e2e.waiting import until

from ..control_plane.api import Manifest, path_of
from ..control_plane.bench import Bench
from ..control_plane.reconciling import Reconciling
from ..control_plane.snapshot import differences, snapshot
from ..tally import RUNS, count_runs
from ..unit.conftest import header
from .schema import Spec, reverting, specs

BY_HAND = os.environ.get("CODEMODEL_GENERATED")
"""So many, others each time; left out, 500 that are the same each time."""

NAME = "made-up"
_SECONDS = 30
_ERROR = "of them an error"


class Headers:
    """Finds a model, none, or no model, by the name of the source."""

    async def read(self, source: str) -> Header | None:
        """See `plan.Headers`."""
        match zlib.crc32(source.encode()) % 4:
            case 0:
                return header()
            case 1:
                raise NotAModel("it begins with b'<htm'")
            case 2:
                raise UnsupportedModel("its architecture is unheard-of")
        return None


@pytest.fixture(scope="module")
def reconciling(control_plane: Bench) -> Iterator[Reconciling]:
    kubeconfig = control_plane.plane.kubeconfig("generated", control_plane.plane.url, control_plane.token)
    with Reconciling.connected(kubeconfig, Headers()) as connected:
        yield connected


@pytest.fixture(scope="module")
def namespace(control_plane: Bench) -> Iterator[str]:
    with control_plane.namespace() as name:
        yield name


@pytest.mark.timeout(7200)
def test_there_and_back(control_plane: Bench, reconciling: Reconciling, namespace: str) -> None:
    api = control_plane.api

    @settings(
        max_examples=int(BY_HAND or 500),
        derandomize=BY_HAND is None,
        database=None,
        deadline=None,
        # Admission refuses many: that is its part of the test.
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
    )
    @given(specs(), specs())
    def there_and_back(first: Spec, other: Spec) -> None:
        second = reverting(first, other)
        _remove(control_plane, namespace)
        assume(_accepted(control_plane, "POST", namespace, first))
        start = _settled(control_plane, reconciling, namespace)
        accepted = _accepted(control_plane, "PUT", namespace, second)
        changed = _settled(control_plane, reconciling, namespace)
        if not accepted:
            assert changed == start
        assume(accepted)
        assert _accepted(control_plane, "PUT", namespace, first)

        def back() -> list[str]:
            return differences(_settled(control_plane, reconciling, namespace), start)

        until(back, lambda lines: not lines, what=f"the first state: {first} -> {second}", seconds=_SECONDS)
        count_runs("made up CodeModels, changed and changed back")
        if _stalled(changed):
            count_runs(_ERROR)

    there_and_back()
    _remove(control_plane, namespace)
    assert api.list("CodeModel", namespace) == []
    assert RUNS[_ERROR]


def _settled(bench: Bench, reconciling: Reconciling, namespace: str) -> dict[str, Manifest]:
    reconciling.settle(namespace, NAME)
    found = snapshot(bench.api, namespace)
    reasons = {c["type"]: c["reason"] for c in found[f"CodeModel {NAME}"]["status"]["conditions"]}
    # What admission lets pass, the operator can read.
    assert reasons["Stalled"] != "InvalidSpec", found[f"CodeModel {NAME}"]
    return found


def _stalled(found: dict[str, Manifest]) -> bool:
    conditions = found[f"CodeModel {NAME}"]["status"]["conditions"]
    return any((c["type"], c["status"]) == ("Stalled", "True") for c in conditions)


def _accepted(bench: Bench, method: str, namespace: str, spec: Spec) -> bool:
    """Store a CodeModel with this spec; return whether admission let it pass."""
    manifest: Manifest = {
        "apiVersion": "codemodel.dev/v1alpha1",
        "kind": "CodeModel",
        "metadata": {"name": NAME, "namespace": namespace},
        "spec": spec,
    }
    path = path_of("CodeModel", namespace, NAME if method == "PUT" else "")
    if method == "PUT":
        manifest["metadata"] = (bench.api.get("CodeModel", NAME, namespace) or manifest)["metadata"]
    answer = bench.api.raw(method, path, json=manifest)
    assert answer.is_success or answer.status_code == httpx.codes.UNPROCESSABLE_ENTITY, answer.text
    return answer.is_success


def _remove(bench: Bench, namespace: str) -> None:
    bench.api.delete("CodeModel", NAME, namespace)
    until(
        lambda: {key for key, found in snapshot(bench.api, namespace).items() if any(found.values())},
        lambda left: not left,
        what="the children to be collected",
        seconds=_SECONDS,
    )
