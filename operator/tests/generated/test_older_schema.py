"""CodeModels that admission would refuse today, stored by a version that had other rules: they harm nobody."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, example, given, note, settings
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from codemodel_operator.api.spec import CodeModelSpec
from codemodel_operator.api.status import CodeModelStatus
from e2e.waiting import until

from ..control_plane.api import Manifest
from ..control_plane.bench import Bench
from ..control_plane.reconciling import Reconciling
from ..tally import count_runs
from .test_generated import Headers

NAME = "old"
_SECONDS = 30

_ANYTHING: SearchStrategy[Any] = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-(2**31), 2**31), st.text(max_size=8)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=6,
)


def _fields(model: type[CodeModelSpec] | type[CodeModelStatus]) -> SearchStrategy[Any]:
    """Nothing, or an object that has the names of the model's fields, and anything in them."""
    names = [field.alias or name for name, field in model.model_fields.items()]
    return st.one_of(st.none(), st.dictionaries(st.sampled_from(names), _ANYTHING, max_size=4))


@pytest.fixture(scope="module")
def namespace(control_plane: Bench) -> Iterator[str]:
    with control_plane.namespace() as name:
        yield name


@pytest.fixture(scope="module")
def reconciling(control_plane: Bench) -> Iterator[Reconciling]:
    kubeconfig = control_plane.plane.kubeconfig("older", control_plane.plane.url, control_plane.token)
    with Reconciling.connected(kubeconfig, Headers()) as connected:
        yield connected


def test_nothing_stored_crashes_a_reconcile(
    control_plane: Bench, reconciling: Reconciling, namespace: str
) -> None:
    stored = _create(control_plane, namespace, NAME)

    @settings(
        max_examples=100,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=[HealthCheck.too_slow],
    )
    @given(_fields(CodeModelSpec), _fields(CodeModelStatus))
    @example(None, None)
    @example({"model": {"source": "ftp://old/model.gguf"}}, {"conditions": [{"type": "Ready"}]})
    @example({"engine": {"name": "mock"}, "service": {"port": "80"}}, {"conditions": "Ready"})
    def reconciled(spec: Any, status: Any) -> None:
        _store(control_plane, {**stored, "spec": spec, "status": status})
        note(f"spec: {spec!r}, status: {status!r}")
        reconciling.settle(namespace, NAME)
        count_runs("stored by an older schema")

    reconciled()


def test_others_are_served_beside_them(control_plane: Bench, namespace: str) -> None:
    specs: tuple[Any, ...] = (None, {"engine": 7}, {"model": {"source": {}}}, {"scaling": "many"})
    for number, spec in enumerate(specs):
        stored = _create(control_plane, namespace, f"old-{number}")
        _store(control_plane, {**stored, "spec": spec})
    kubeconfig = control_plane.plane.kubeconfig("beside", control_plane.plane.url, control_plane.token)
    operator = control_plane.operators.start("beside", kubeconfig, f"--namespace={namespace}")
    _create(control_plane, namespace, "new")
    until(
        lambda: control_plane.api.get("Deployment", "new", namespace),
        what="the Deployment of the CodeModel that is all right",
        seconds=_SECONDS,
    )
    assert not operator.ended
    operator.stop()
    assert "Unexpected failure" not in operator.log.read_text()


def _create(bench: Bench, namespace: str, name: str) -> Manifest:
    return bench.api.create(
        {
            "apiVersion": "codemodel.dev/v1alpha1",
            "kind": "CodeModel",
            "metadata": {"name": name, "namespace": namespace},
            "spec": {"engine": {"name": "mock"}},
        }
    )


def _store(bench: Bench, manifest: Manifest) -> None:
    metadata = manifest["metadata"]
    key = f"/registry/codemodel.dev/codemodels/{metadata['namespace']}/{metadata['name']}"
    bench.plane.store(key, json.dumps(manifest))
