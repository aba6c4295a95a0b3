"""Any CodeModel that the API server accepts is brought about, and any change can be taken back."""

import os
import zlib
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest
from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis import strategies as st

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
_SECONDS = 10
_RUN = "made up CodeModels, changed and changed back"
_ERROR = "of them changed to an error"


_PAGE, _UNSUPPORTED = "http://models/page.html", "http://models/unsupported.gguf"
MISTAKES: tuple[Spec, ...] = (
    {},
    {},
    {},
    # The Deployment is refused.
    {"image": "ends-with-a-space "},
    {"engine": {"name": "llama-cpp"}, "model": {"source": _PAGE}},
    {"engine": {"name": "llama-cpp"}, "model": {"source": _UNSUPPORTED}},
)
"""What a user may write that is an error only to the operator."""


class Headers:
    """Finds a model or none, by the name of the source."""

    async def read(self, source: str) -> Header | None:
        """See `plan.Headers`."""
        if source in (_PAGE, _UNSUPPORTED):
            raise NotAModel("it is a page") if source == _PAGE else UnsupportedModel("it is unheard-of")
        return header() if zlib.crc32(source.encode()) % 2 else None


@pytest.fixture(scope="module")
def reconciling(control_plane: Bench) -> Iterator[Reconciling]:
    kubeconfig = control_plane.plane.kubeconfig("generated", control_plane.plane.url, control_plane.token)
    with Reconciling.connected(kubeconfig, Headers()) as connected:
        yield connected


@pytest.mark.timeout(7200)
def test_there_and_back(control_plane: Bench, reconciling: Reconciling) -> None:
    @settings(
        max_examples=int(BY_HAND or 500),
        derandomize=BY_HAND is None,
        database=None,
        # What is found is small; to make it smaller would take minutes.
        phases=[Phase.explicit, Phase.generate],
        deadline=None,
        # Admission refuses many: that is its part of the test.
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
    )
    @given(specs(), specs(), st.sampled_from(MISTAKES))
    def there_and_back(first: Spec, other: Spec, mistake: Spec) -> None:
        second = {**reverting(first, other), **mistake}
        with _namespace(control_plane) as namespace:
            assume(_accepted(control_plane, "POST", namespace, first))
            start = _settled(control_plane, reconciling, namespace)
            # What runs goes on running when its spec becomes an error, so an error is no state to come back to.
            assume(not _stalled(start))
            accepted = _accepted(control_plane, "PUT", namespace, second)
            changed = _settled(control_plane, reconciling, namespace)
            assert accepted or changed == start
            assume(accepted)
            assert _accepted(control_plane, "PUT", namespace, first)

            def back() -> list[str]:
                return differences(_settled(control_plane, reconciling, namespace), start)

            until(
                back, lambda lines: not lines, what=f"the first state: {first} -> {second}", seconds=_SECONDS
            )
        count_runs(_RUN)
        count_runs(_ERROR, _stalled(changed))

    there_and_back()
    assert RUNS[_ERROR]


@contextmanager
def _namespace(bench: Bench) -> Iterator[str]:
    """It stays; its CodeModel goes, and frees the port on the nodes that it may have."""
    name = f"made-up-{bench.names()}"
    bench.api.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
    try:
        yield name
    finally:
        bench.api.delete("CodeModel", NAME, name)


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
